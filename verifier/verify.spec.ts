import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { ACCOUNT_COUNTER, MERCHANT_MODEL } from "../contract/function-names.js";
import { positionText } from "../contract/raw-record.js";
import { accountCounter, accountState } from "../functions/account-counter/account-counter.js";
import { accountCounterOf, ALERTER, TRANSACTION_SCORER } from "../functions/addresses.js";
import { alerter, alerterState } from "../functions/alerter/alerter.js";
import type { Dependencies } from "../functions/dependencies.js";
import { merchantModel, merchantState } from "../functions/merchant-model/merchant-model.js";
import { logicVersion, parseSettings } from "../functions/settings.js";
import { sampleDependencies, sampleLabel, sampleTransaction, START_MS } from "../functions/testing/samples.js";
import { parseModel } from "../functions/transaction-scorer/model.js";
import { scorerState, transactionScorer } from "../functions/transaction-scorer/transaction-scorer.js";
import { Decision } from "../protos/gen/fraud/v1/decision.js";
import { Alert, RejectedRecord, RejectReason, StateEvent } from "../protos/gen/fraud/v1/evidence.js";
import { FraudLabel, Transaction, Verdict } from "../protos/gen/fraud/v1/transaction.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import { StatefulFunctions } from "../statefun/index.js";
import { TestRuntime } from "../statefun/testing/test-runtime.js";
import { completeSettings, versionName } from "./reference/settings.js";
import type { StoredRecord, VerifiedRecords } from "./records.js";
import { RecordStore } from "./store.js";
import { type KnownInputs, type Verification, verify, verifyStored } from "./verify.js";

const HOUR_MS = 3_600_000;
/** Short windows, so that a short run fills and leaves them; the second version has one more feature. */
const OLD = {
  account: {
    day: { buckets: 3, bucketMs: HOUR_MS },
    history: { buckets: 4, bucketMs: HOUR_MS },
    fraudWindowMs: 3 * HOUR_MS,
    expiryDelayMs: 60_000,
    maxVerdicts: 3,
    minHistoryCount: 2,
    recentTransactions: 1000,
    knownMerchants: 0,
  },
  merchant: { history: { buckets: 4, bucketMs: HOUR_MS } },
};
const NEW = { ...OLD, account: { ...OLD.account, knownMerchants: 3 } };
const MODEL = Buffer.from(
  JSON.stringify({
    id: "spec",
    kind: "points",
    description: "",
    reviewAt: 300,
    declineAt: 600,
    rules: [
      { code: "QUICK", description: "", points: 300, when: [{ feature: "account.velocity_count", atLeast: 3 }] },
      { code: "NEW", description: "", points: 150, when: [{ feature: "account.merchant_visits", below: 1 }] },
      { code: "FAR", description: "", points: 200, when: [{ feature: "account.travel_distance_m", atLeast: 100_000 }] },
      { code: "FRAUD", description: "", points: 400, when: [{ feature: "merchant.fraud_rate_permille", atLeast: 10 }] },
    ],
  }),
);
/** A memory so short that much comes again after it has ended. */
const FORGETFUL = { ...OLD, account: { ...OLD.account, recentTransactions: 3 } };
const KNOWN = { settings: [OLD, NEW, FORGETFUL], models: [MODEL] };

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("transaction" as const),
      account: fc.nat(2),
      merchant: fc.nat(2),
      minutes: fc.integer({ min: -20, max: 60 }),
      amount: fc.oneof(
        { weight: 4, arbitrary: fc.integer({ min: 1, max: 10 ** 9 }) },
        { weight: 1, arbitrary: fc.constantFrom(0, 10 ** 15 - 1) },
      ),
      place: fc.option(
        fc.record({
          latitudeE6: fc.integer({ min: -90_000_000, max: 90_000_000 }),
          longitudeE6: fc.integer({ min: -180_000_000, max: 180_000_000 }),
        }),
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("label" as const),
      of: fc.nat(),
      revision: fc.option(
        fc.oneof(
          { weight: 5, arbitrary: fc.integer({ min: 1, max: 4 }) },
          { weight: 1, arbitrary: fc.integer({ min: 15, max: 40 }) },
        ),
        { freq: 2, nil: undefined },
      ),
      dated: fc.boolean(),
      fraud: fc.boolean(),
      again: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("upgrade" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(100_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("conflict" as const), of: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("again" as const), of: fc.nat() }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What the functions see; it changes in the middle of a run, as with servers of two versions side by side. */
function dependencies(settings: unknown, change: Partial<Dependencies["settings"]["account"]> = {}): Dependencies {
  const parsed = parseSettings(settings);
  return {
    ...sampleDependencies(),
    settings: { ...parsed, account: { ...parsed.account, ...change } },
    model: parseModel(MODEL),
    logicVersion: logicVersion(parsed),
  };
}

async function play(
  steps: readonly Step[],
  seed: number,
  crashRate: number,
  change?: Partial<Dependencies["settings"]["account"]>,
  [first, second] = [OLD, NEW],
): Promise<VerifiedRecords> {
  // Both versions run, like servers side by side; each call goes to the one whose turn it is.
  let version = first;
  const versions = new Map(
    [first, second].map((settings) => {
      const of = dependencies(settings, change);
      return [
        settings,
        {
          counter: accountCounter(of),
          merchant: merchantModel(of),
          scorer: transactionScorer(of),
          alerter: alerter(of),
        },
      ];
    }),
  );
  const functions = new StatefulFunctions()
    .bind(ACCOUNT_COUNTER, (context, message) => versions.get(version)!.counter(context, message), {
      states: [accountState],
    })
    .bind(MERCHANT_MODEL, (context, message) => versions.get(version)!.merchant(context, message), {
      states: [merchantState],
    })
    .bind(TRANSACTION_SCORER, (context, message) => versions.get(version)!.scorer(context, message), {
      states: [scorerState],
    })
    .bind(ALERTER, (context, message) => versions.get(version)!.alerter(context, message), { states: [alerterState] });
  const runtime = new TestRuntime(functions, { seed, maxBatch: 1 + (seed % 5), crashRate });
  const sent: Transaction[] = [];
  const labels: FraudLabel[] = [];
  let now = START_MS;
  for (const [n, one] of steps.entries()) {
    const earlier = "of" in one ? sent[one.of % Math.max(1, sent.length)] : undefined;
    if (one.kind === "upgrade") {
      // What came before is handled by the earlier version.
      await runtime.run();
      version = version === first ? second : first;
    } else if (one.kind === "wait") await runtime.advance(one.ms);
    else if (one.kind === "transaction") {
      now += BigInt(one.minutes * 60_000);
      const transaction = sampleTransaction({
        transactionId: `t-${n}`,
        accountId: `a${one.account}`,
        merchantId: `m${one.merchant}`,
        amountMinor: BigInt(one.amount),
        eventTimeMs: now,
        location: one.place === null ? undefined : { ...one.place, name: "" },
      });
      sent.push(transaction);
      runtime.ingress(accountCounterOf(transaction.accountId), Transaction, transaction);
    } else if (earlier !== undefined && one.kind === "again") {
      sent.push(earlier);
      runtime.ingress(accountCounterOf(earlier.accountId), Transaction, earlier);
    } else if (earlier !== undefined && one.kind === "conflict") {
      const other = { ...earlier, amountMinor: earlier.amountMinor + 1n, contentHash: Buffer.alloc(16, 255) };
      sent.push(other);
      runtime.ingress(accountCounterOf(earlier.accountId), Transaction, other);
    } else if (earlier !== undefined && one.kind === "label") {
      const { accountId, transactionId, merchantId } = earlier;
      const label = sampleLabel({
        labelId: `l-${n}`,
        accountId,
        transactionId,
        merchantId,
        revision: one.revision,
        verdict: one.fraud ? Verdict.FRAUD : Verdict.LEGITIMATE,
        eventTimeMs: earlier.eventTimeMs,
        effectiveAtMs: one.dated ? now : undefined,
      });
      for (let times = one.again ? 2 : 1; times > 0; times--) {
        labels.push(label);
        runtime.ingress(accountCounterOf(accountId), FraudLabel, label);
      }
    }
  }
  await runtime.advance(120_000);
  for (let crash = 0; crash < runtime.crashes; crash++) await runtime.advance(60_000);
  const placed = (topic: string, values: readonly Uint8Array[]): StoredRecord[] =>
    values.map((value, offset) => ({ topic, partition: 0, offset: BigInt(offset), value }));
  const output = (topic: string) =>
    placed(
      topic,
      runtime
        .kafka(topic)
        .map(({ value: { typeUrl, value } }) => Any.encode({ typeUrl, value: Buffer.from(value) }).finish()),
    );
  return {
    transactions: placed(
      "transactions.valid",
      sent.map((one) => Transaction.encode(one).finish()),
    ),
    labels: placed(
      "labels.valid",
      labels.map((one) => FraudLabel.encode(one).finish()),
    ),
    decisions: output("decisions"),
    evidence: output("evidence"),
    alerts: output("alerts"),
    rejected: output("functions.rejected"),
  };
}

const without = (records: readonly StoredRecord[], at: number) => records.filter((_, n) => n !== at);
const twice = (records: readonly StoredRecord[], at: number) => [
  ...records,
  { ...records[at]!, offset: BigInt(records.length) },
];
const swapped = (records: readonly StoredRecord[], a: number, b: number) =>
  records.map((record, n) => ({ ...record, value: records[n === a ? b : n === b ? a : n]!.value }));
const edited = <T>(
  records: readonly StoredRecord[],
  at: number,
  type: { readonly $type: string; decode(bytes: Uint8Array): T; encode(message: T): { finish(): Uint8Array } },
  edit: (message: T) => void,
): StoredRecord[] =>
  records.map((record, n) => {
    if (n !== at) return record;
    const { typeUrl, value } = Any.decode(record.value!);
    const message = type.decode(value);
    edit(message);
    return { ...record, value: Any.encode({ typeUrl, value: Buffer.from(type.encode(message).finish()) }).finish() };
  });

/**
 * The result of both ways of judging: all at once, and with nearly everything in the temporary file, a few accounts at
 * a time.
 */
async function judged(records: VerifiedRecords, known: KnownInputs): Promise<Verification> {
  const atOnce = verify(records, known);
  const store = new RecordStore({ shards: 3, memoryBytes: 1_000 });
  try {
    for (const record of Object.values(records).flat() as StoredRecord[]) store.add(record);
    if (records.decisions.length > 10) expect(store.fileBytes).toBeGreaterThan(0);
    expect(inAnyOrder(await verifyStored(store, known))).toEqual(inAnyOrder(atOnce));
  } finally {
    store.close();
  }
  return atOnce;
}

/** When there are many violations, each way shows the first that it finds. */
const inAnyOrder = ({ properties, ...rest }: Verification) => ({
  ...rest,
  properties: properties.map(({ examples, ...property }) => ({
    ...property,
    examples:
      property.violations > examples.length ? examples.length : examples.map((one) => JSON.stringify(one)).sort(),
  })),
});

const broken = ({ properties }: Verification): string[] =>
  properties.filter(({ violations }) => violations > 0).map(({ name }) => name);
const examples = ({ properties }: Verification) => properties.flatMap(({ examples }) => examples).slice(0, 3);

describe("the verifier", () => {
  it("names versions as the functions do", () => {
    for (const settings of [{}, OLD, NEW])
      expect(versionName(completeSettings(settings))).toBe(logicVersion(parseSettings(settings)));
  });

  it("reproduces whatever the functions did, in any interleaving, with crashes and upgrades", async () => {
    const totals: Record<string, number> = {};
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 60 }),
        fc.nat(),
        fc.constantFrom(0, 0.03),
        async (steps, seed, crashRate) => {
          const records = await play(steps, seed, crashRate);
          const found = await judged(records, KNOWN);
          expect(examples(found)).toEqual([]);
          for (const { name, checked } of found.properties) totals[name] = (totals[name] ?? 0) + checked;
        },
      ),
      { numRuns: 150, seed: 1 },
    );
    for (const [name, checked] of Object.entries(totals)) expect(checked, name).toBeGreaterThan(100);
  });
});

describe("a memory of repeats that is too short", () => {
  const forgetful = (steps: readonly Step[], seed: number, crashRate = 0) =>
    play(steps, seed, crashRate, undefined, [FORGETFUL, OLD]);

  it("decides again what it has forgotten, each marked, and the verifier expects it", async () => {
    let again = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 20, maxLength: 80 }),
        fc.nat(),
        fc.constantFrom(0, 0.03),
        async (steps, seed, crashRate) => {
          const found = await judged(await forgetful(steps, seed, crashRate), KNOWN);
          expect(examples(found)).toEqual([]);
          again += found.decidedAgain ?? 0;
        },
      ),
      { numRuns: 60, seed: 4 },
    );
    expect(again).toBeGreaterThan(20);
  });

  it("is found out when a mark is missing or wrong, and when the memory is shorter than it says", async () => {
    const steps = fc.sample(step, { numRuns: 300, seed: 11 });
    const records = await forgetful(steps, 5);
    expect(broken(await judged(records, KNOWN))).toEqual([]);
    const decisions = records.decisions.map(({ value }) => Decision.decode(Any.decode(value!).value).evidence!);
    const marked = decisions.findIndex(
      ({ account, transaction }, n) =>
        account!.possibleRepeat &&
        decisions
          .slice(0, n)
          .some(
            (one) =>
              one.transaction!.transactionId === transaction!.transactionId &&
              one.transaction!.contentHash.equals(transaction!.contentHash),
          ),
    );
    const plain = decisions.findIndex(({ account }) => !account!.possibleRepeat);
    const flip = (at: number) => ({
      ...records,
      decisions: edited(
        records.decisions,
        at,
        Decision,
        ({ evidence }) => (evidence!.account!.possibleRepeat = !evidence!.account!.possibleRepeat),
      ),
    });
    expect(broken(await judged(flip(marked), KNOWN))).toEqual(["duplicate", "account-features"]);
    expect(broken(await judged(flip(plain), KNOWN))).toEqual(["account-features"]);
    expect(broken(await judged(await play(steps, 5, 0, { recentTransactions: 2 }, [OLD, OLD]), KNOWN))).toEqual([
      "account-features",
    ]);
    const lying = records.decisions
      .map((_, n) => n)
      .reduce(
        (all, n) => edited(all, n, Decision, ({ evidence }) => (evidence!.account!.forgottenSeq = 0n)),
        records.decisions,
      );
    expect(broken(await judged({ ...records, decisions: lying }, KNOWN))).toEqual(
      expect.arrayContaining(["duplicate", "account-features"]),
    );
  });
});

describe("a negative control: the verifier", () => {
  let steps: Step[];
  let good: VerifiedRecords;

  beforeAll(async () => {
    steps = fc.sample(step, { numRuns: 400, seed: 11 });
    good = await play(steps, 5, 0);
    expect(broken(await judged(good, KNOWN))).toEqual([]);
  });

  const verdictOn = async (change: Partial<VerifiedRecords>) => broken(await judged({ ...good, ...change }, KNOWN));
  /** Two decisions of one account, in order. */
  const pair = (): [number, number] => {
    const accounts = good.decisions.map(
      ({ value }) => Decision.decode(Any.decode(value!).value).evidence!.transaction!.accountId,
    );
    return [accounts.indexOf("a1"), accounts.lastIndexOf("a1")];
  };

  it("misses a decision that was dropped", async () =>
    expect(await verdictOn({ decisions: without(good.decisions, 7) })).toEqual(
      expect.arrayContaining(["missing", "out-of-order", "account-sequence", "merchant-sequence", "event-sequence"]),
    ));
  it("sees a decision that was repeated", async () =>
    expect(await verdictOn({ decisions: twice(good.decisions, 7) })).toEqual(
      expect.arrayContaining(["duplicate", "event-sequence"]),
    ));
  it("sees decisions that were reordered", async () =>
    expect(await verdictOn({ decisions: swapped(good.decisions, ...pair()) })).toEqual(["out-of-order"]));
  it("sees an amount that was altered", async () =>
    expect(
      await verdictOn({
        decisions: edited(good.decisions, 7, Decision, ({ evidence }) => (evidence!.transaction!.amountMinor += 1n)),
      }),
    ).toContain("unexpected"));
  it("sees an account feature that was altered", async () =>
    expect(
      await verdictOn({
        decisions: edited(good.decisions, 7, Decision, ({ evidence }) => (evidence!.account!.features!.dayCount += 1)),
      }),
    ).toEqual(["account-features"]));
  it("sees a merchant feature that was altered", async () =>
    expect(
      await verdictOn({
        decisions: edited(
          good.decisions,
          7,
          Decision,
          ({ evidence }) => (evidence!.merchant!.features!.historyAmountMinor += 1n),
        ),
      }),
    ).toEqual(["merchant-features"]));
  it("sees a score that was altered", async () =>
    expect(
      await verdictOn({
        decisions: edited(good.decisions, 7, Decision, ({ evidence }) => (evidence!.scoring!.score += 1)),
      }),
    ).toContain("scores"));
  it("misses a state event that was dropped", async () =>
    expect(await verdictOn({ evidence: without(good.evidence, 0) })).toEqual(
      expect.arrayContaining(["event-sequence", "state-events"]),
    ));
  it("sees a label that was refused without a reason", async () => {
    const at = good.rejected.findIndex(
      ({ value }) => RejectedRecord.decode(Any.decode(value!).value).reason === RejectReason.REVISION_AHEAD,
    );
    const refused = (edit: (label: FraudLabel) => void) =>
      edited(good.rejected, at, RejectedRecord, (record) => {
        const label = FraudLabel.decode(record.original!.value);
        edit(label);
        record.original!.value = Buffer.from(FraudLabel.encode(label).finish());
      });
    expect(await verdictOn({ rejected: refused((label) => (label.revision = 2)) })).toContain("state-events");
    expect(
      await verdictOn({
        rejected: edited(good.rejected, at, RejectedRecord, (record) => (record.reason = RejectReason.STALE_REVISION)),
      }),
    ).toContain("state-events");
  });
  it("sees a verdict's revision and time that were altered", async () => {
    const at = good.evidence.findIndex(
      ({ value }) => StateEvent.decode(Any.decode(value!).value).function === ACCOUNT_COUNTER,
    );
    for (const edit of [
      (event: StateEvent) => (event.effectiveAtMs += 1n),
      (event: StateEvent) => (event.revision += 1),
    ])
      expect(await verdictOn({ evidence: edited(good.evidence, at, StateEvent, edit) })).toContain("state-events");
  });
  it("refuses a state event of a function that has none: nothing would check it", async () => {
    const stranger = edited([good.evidence.at(-1)!], 0, StateEvent, (event) =>
      Object.assign(event, { function: "fraud/device-model", addressId: "phone-1", eventSeq: 1n }),
    ).map((record) => ({ ...record, offset: record.offset + 1n }));
    const { verdict, properties } = await judged({ ...good, evidence: [...good.evidence, ...stranger] }, KNOWN);
    expect(verdict).toBe("fail");
    expect(properties.filter(({ violations }) => violations > 0)).toMatchObject([
      {
        name: "state-events",
        violations: 1,
        examples: [
          { what: 'the state event is of "fraud/device-model", which has none', records: [positionText(stranger[0]!)] },
        ],
      },
    ]);
  });
  it("misses an alert that was dropped", async () =>
    expect(await verdictOn({ alerts: without(good.alerts, 3) })).toEqual(["alerts"]));
  it("sees an alert that was repeated", async () =>
    expect(await verdictOn({ alerts: twice(good.alerts, 3) })).toEqual(["alerts"]));
  it("sees an alert that was altered", async () =>
    expect(await verdictOn({ alerts: edited(good.alerts, 3, Alert, (alert) => (alert.maxScore += 1)) })).toEqual([
      "alerts",
    ]));
  it("misses a transaction that entered and was never decided", async () => {
    const record = {
      topic: "transactions.valid",
      partition: 0,
      offset: 10_000n,
      value: Transaction.encode(sampleTransaction({ transactionId: "lost", accountId: "a1" })).finish(),
    };
    expect(await verdictOn({ transactions: [...good.transactions, record] })).toEqual(["missing"]);
  });

  it("sees that one constant was changed in a function", async () => {
    expect(broken(await judged(await play(steps, 5, 0, { minHistoryCount: 3 }), KNOWN))).toContain("account-features");
    expect(broken(await judged(await play(steps, 5, 0, { fraudWindowMs: 3 * HOUR_MS - 1_000_000 }), KNOWN))).toEqual(
      expect.arrayContaining(["account-features"]),
    );
  });

  it("refuses versions and models that it does not know, and a run without decisions", async () => {
    expect(broken(await judged(good, { ...KNOWN, settings: [OLD] }))).toContain("account-features");
    expect(broken(await judged(good, { ...KNOWN, models: [] }))).toContain("scores");
    expect(
      (await judged({ transactions: [], labels: [], decisions: [], evidence: [], alerts: [], rejected: [] }, KNOWN))
        .verdict,
    ).toBe("fail");
  });

  it("says the same about records dropped, repeated, swapped, moved, emptied or garbled, all at once or in batches", async () => {
    const few = await play(steps.slice(0, 60), 5, 0);
    const topic = fc.constantFrom(
      ...(Object.keys(few) as (keyof VerifiedRecords)[]).filter((name) => few[name].length > 0),
    );
    let found = 0;
    await fc.assert(
      fc.asyncProperty(
        topic,
        fc.constantFrom("drop", "repeat", "swap", "move", "empty", "garble"),
        fc.nat(),
        fc.nat(),
        async (name, how, at, other) => {
          // The verifier relies on the intake's records, and on what counts as a refusal.
          if (
            (how === "empty" || how === "garble") &&
            (name === "transactions" || name === "labels" || name === "rejected")
          )
            return;
          const records = few[name];
          const [n, m] = [at % records.length, other % records.length];
          const changed = (change: (record: StoredRecord) => Partial<StoredRecord>) =>
            records.map((record, k) => (k === n ? { ...record, ...change(record) } : record));
          const changes = {
            drop: () => without(records, n),
            repeat: () => twice(records, n),
            swap: () => swapped(records, n, m),
            move: () => changed(() => ({ partition: 1 })),
            empty: () => changed(() => ({ value: null })),
            garble: () =>
              changed(({ value }) => ({
                value: value!.map((byte, b) => (b === other % value!.length ? byte ^ 1 : byte)),
              })),
          };
          found += broken(await judged({ ...few, [name]: changes[how]() }, KNOWN)).length;
        },
      ),
      { numRuns: 150, seed: 1 },
    );
    expect(found).toBeGreaterThan(100);
  });
});
