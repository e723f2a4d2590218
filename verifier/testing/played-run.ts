import fc from "fast-check";
import { expect } from "vitest";

import { ACCOUNT_COUNTER, MERCHANT_MODEL } from "../../contract/function-names.js";
import { accountCounter, accountState } from "../../functions/account-counter/account-counter.js";
import { accountCounterOf, ALERTER, TRANSACTION_SCORER, WAITING_ROOM } from "../../functions/addresses.js";
import { alerter, alerterState } from "../../functions/alerter/alerter.js";
import type { Dependencies } from "../../functions/dependencies.js";
import { merchantModel, merchantState } from "../../functions/merchant-model/merchant-model.js";
import { logicVersion, parseSettings } from "../../functions/settings.js";
import { sampleDependencies, sampleLabel, sampleTransaction, START_MS } from "../../functions/testing/samples.js";
import { parseModel } from "../../functions/transaction-scorer/model.js";
import { scorerState, transactionScorer } from "../../functions/transaction-scorer/transaction-scorer.js";
import { waitingRoom, waitingState } from "../../functions/waiting-room/waiting-room.js";
import { FraudLabel, Transaction, Verdict } from "../../protos/gen/fraud/v1/transaction.js";
import { Any } from "../../protos/gen/google/protobuf/any.js";
import { StatefulFunctions } from "../../statefun/index.js";
import { TestRuntime } from "../../statefun/testing/test-runtime.js";
import type { StoredRecord, VerifiedRecords } from "../records.js";
import { RecordStore } from "../store.js";
import { type KnownInputs, type Verification, verify, verifyStored } from "../verify.js";
import { NAMED_MODELS, stampsOf } from "./stamped-models.js";

export const HOUR_MS = 3_600_000;
/** Short windows, so that a short run fills and leaves them; the second version has one more feature. */
export const OLD = {
  account: {
    day: { buckets: 3, bucketMs: HOUR_MS },
    history: { buckets: 4, bucketMs: HOUR_MS },
    fraudWindowMs: 3 * HOUR_MS,
    expiryDelayMs: 60_000,
    maxVerdicts: 3,
    minHistoryCount: 2,
    recentTransactions: 1000,
    knownMerchants: 0,
    restMs: 50_000,
  },
  merchant: { history: { buckets: 4, bucketMs: HOUR_MS }, restMs: 40_000 },
  learned: { events: 2, labelDelayMs: 1 * HOUR_MS },
};
export const NEW = {
  ...OLD,
  account: { ...OLD.account, knownMerchants: 3 },
  learned: { events: 4, labelDelayMs: 2 * HOUR_MS },
};
/** With the features of places, which take in what a short memory has let go. */
export const PLACES = { ...NEW, learned: { events: 5, labelDelayMs: 1 * HOUR_MS, places: true } };
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
/** A memory so short that much comes again after it has ended, and none for learned features. */
export const FORGETFUL = {
  ...OLD,
  account: { ...OLD.account, recentTransactions: 3 },
  learned: { ...OLD.learned, events: 0 },
};
export const KNOWN = { settings: [OLD, NEW, FORGETFUL, PLACES], models: [MODEL, ...NAMED_MODELS] };

export const step = fc.oneof(
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
        fc.oneof(
          {
            weight: 6,
            arbitrary: fc.record({
              latitudeE6: fc.integer({ min: -90_000_000, max: 90_000_000 }),
              longitudeE6: fc.integer({ min: -180_000_000, max: 180_000_000 }),
            }),
          },
          // On both sides of the equator and the prime meridian, some within 100 km of each other and some not.
          {
            weight: 6,
            arbitrary: fc.record({
              latitudeE6: fc.integer({ min: -400_000, max: 400_000 }),
              longitudeE6: fc.integer({ min: -400_000, max: 400_000 }),
            }),
          },
          { weight: 1, arbitrary: fc.constant({ latitudeE6: 0, longitudeE6: 0 }) },
        ),
      ),
      /** Its label comes before it. */
      foretold: fc.constantFrom(true, false, false, false),
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
export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

type Settings = Dependencies["settings"];
/** What the functions do otherwise than their version says: what a verifier must find. */
type Change = Partial<Settings["account"]> & { readonly learned?: Partial<Settings["learned"]> };

/** What the functions see; it changes in the middle of a run, as with servers of two versions side by side. */
function dependencies(settings: unknown, { learned, ...account }: Change = {}): Dependencies {
  const parsed = parseSettings(settings);
  return {
    ...sampleDependencies(),
    settings: {
      ...parsed,
      account: { ...parsed.account, ...account },
      learned: { ...parsed.learned, ...learned },
    },
    model: parseModel(MODEL),
    otherModels: NAMED_MODELS.map(parseModel),
    logicVersion: logicVersion(parsed),
  };
}

/** What the topics hold after the real functions have worked through these steps. */
export async function play(
  steps: readonly Step[],
  seed: number,
  crashRate: number,
  change?: Change,
  [first, second]: readonly [object, object] = [OLD, NEW],
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
    .bind(WAITING_ROOM, waitingRoom(), { states: [waitingState] })
    .bind(ALERTER, (context, message) => versions.get(version)!.alerter(context, message), { states: [alerterState] });
  const runtime = new TestRuntime(functions, { seed, maxBatch: 1 + (seed % 5), crashRate });
  const sent: Transaction[] = [];
  const labels: FraudLabel[] = [];
  const judge = (label: FraudLabel): void => {
    labels.push(label);
    runtime.ingress(accountCounterOf(label.accountId), FraudLabel, label);
  };
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
        ...stampsOf(n),
      });
      if (one.foretold)
        judge(
          sampleLabel({
            labelId: `l-${n}`,
            accountId: transaction.accountId,
            transactionId: transaction.transactionId,
            merchantId: transaction.merchantId,
            eventTimeMs: now,
            effectiveAtMs: now,
          }),
        );
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
      for (let times = one.again ? 2 : 1; times > 0; times--) judge(label);
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

/**
 * The result of both ways of judging: all at once, and with nearly everything in the temporary file, a few accounts at
 * a time.
 */
export async function judged(records: VerifiedRecords, known: KnownInputs): Promise<Verification> {
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

export const broken = ({ properties }: Verification): string[] =>
  properties.filter(({ violations }) => violations > 0).map(({ name }) => name);
export const examples = ({ properties }: Verification) => properties.flatMap(({ examples }) => examples).slice(0, 3);
