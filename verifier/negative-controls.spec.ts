import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { ACCOUNT_COUNTER, MERCHANT_MODEL } from "../contract/function-names.js";
import { positionText } from "../contract/raw-record.js";
import { sampleTransaction } from "../functions/testing/samples.js";
import {
  type AccountFeatures,
  Decision,
  type Evidence,
  type ScoringEvidence,
} from "../protos/gen/fraud/v1/decision.js";
import { Alert, RejectedRecord, RejectReason, StateEvent, StateEvent_Kind } from "../protos/gen/fraud/v1/evidence.js";
import { FraudLabel, Transaction } from "../protos/gen/fraud/v1/transaction.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import type { StoredRecord, VerifiedRecords } from "./records.js";
import { edited, swapped, twice, without } from "./testing/falsified.js";
import { broken, HOUR_MS, judged, KNOWN, NEW, OLD, PLACES, play, type Step, step } from "./testing/played-run.js";

/** Fields of features that docs/features.md calls learned. */
const LEARNED: Readonly<Record<"account" | "merchant", readonly string[]>> = {
  account: [
    "count1d",
    "count7d",
    "count30d",
    "meanMinor1d",
    "meanMinor7d",
    "meanMinor30d",
    "genuineCount",
    "ratioPermille",
    "zPermille",
    "largestRatio7dPermille",
    "secondRatio7dPermille",
    "unusual7dPermille",
    "veryUnusual7d",
    "knownFraudAgeS",
  ],
  merchant: [
    "count1d",
    "count7d",
    "count30d",
    "risk1dPermille",
    "risk7dPermille",
    "risk30dPermille",
    "lastLabel",
    "run",
    "runAgeS",
    "runGapS",
    "runUnexplained",
    "runLeastRatioPermille",
    "genuineAgeS",
  ],
};

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
  it("sees any learned feature that was altered, and what else stands beside them", async () => {
    const { evidence } = Decision.decode(Any.decode(good.decisions[7]!.value!).value);
    const altered = (edit: (evidence: Evidence) => void) =>
      verdictOn({ decisions: edited(good.decisions, 7, Decision, ({ evidence }) => edit(evidence!)) });
    let learned = 0;
    for (const [group, property] of [
      ["account", "account-features"],
      ["merchant", "merchant-features"],
    ] as const) {
      const features = (of: Evidence) => of[group]!.features as unknown as Record<string, number | bigint>;
      for (const name of Object.keys(features(evidence!)).filter((key) => LEARNED[group].includes(key))) {
        learned++;
        expect(
          await altered((of) => {
            const value = features(of)[name]!;
            features(of)[name] = typeof value === "bigint" ? value + 1n : value + 1;
          }),
          `${group}.${name}`,
        ).toContain(property);
      }
      expect(await altered((of) => (of[group]!.learnedIncomplete = !of[group]!.learnedIncomplete))).toEqual([property]);
    }
    expect(learned).toBe(LEARNED.account.length + LEARNED.merchant.length);
    expect(await altered(({ account }) => (account!.knownFraudFromMs = 1n))).toContain("account-features");
  });
  it("sees any feature of places that was altered, or is there though it should not be", async () => {
    const records = await play(steps.slice(0, 150), 5, 0, undefined, [PLACES, NEW]);
    const features = records.decisions.map(
      ({ value }) => Decision.decode(Any.decode(value!).value).evidence!.account!.features!,
    );
    const on = features.findIndex((one) => one.usualDistanceM !== undefined && one.fastest7dKmh !== undefined);
    const off = features.findIndex((one) => one.onWeb === undefined);
    const altered = async (at: number, edit: (of: AccountFeatures) => void) =>
      broken(
        await judged(
          {
            ...records,
            decisions: edited(records.decisions, at, Decision, ({ evidence }) => edit(evidence!.account!.features!)),
          },
          KNOWN,
        ),
      );
    for (const name of ["onWeb", "newMerchants7d", "newWeb7d", "far7d"] as const) {
      expect(await altered(on, (of) => (of[name]! += 1)), name).toContain("account-features");
      expect(await altered(off, (of) => (of[name] = 0)), name).toContain("account-features");
    }
    for (const name of ["usualDistanceM", "fastest7dKmh"] as const) {
      expect(await altered(on, (of) => (of[name]! += 1n)), name).toContain("account-features");
      expect(await altered(on, (of) => (of[name] = undefined)), name).toContain("account-features");
    }
  });
  it("sees the account of a merchant's state event that was altered", async () => {
    const at = good.evidence.findIndex(
      ({ value }) => StateEvent.decode(Any.decode(value!).value).function === MERCHANT_MODEL,
    );
    const other = (event: StateEvent) => (event.accountId += "1");
    expect(await verdictOn({ evidence: edited(good.evidence, at, StateEvent, other) })).toContain("state-events");
  });
  it("sees a score that was altered", async () =>
    expect(
      await verdictOn({
        decisions: edited(good.decisions, 7, Decision, ({ evidence }) => (evidence!.scoring!.score += 1)),
      }),
    ).toContain("scores"));
  it("sees whatever was altered of what a model of trees said", async () => {
    const scorings = good.decisions.map(({ value }) => Decision.decode(Any.decode(value!).value).evidence!.scoring!);
    const explained = scorings.findIndex(({ contributions }) => contributions.length > 1);
    const shadowed = scorings.findIndex(({ challenger }) => challenger?.marginE6 !== undefined);
    const failed = scorings.findIndex(({ challenger }) => challenger?.error);
    expect(Math.min(explained, shadowed, failed)).toBeGreaterThanOrEqual(0);
    const edits: [number, (scoring: ScoringEvidence) => unknown][] = [
      [explained, (scoring) => (scoring.marginE6! += 1n)],
      [explained, (scoring) => (scoring.marginE6 = undefined)],
      [explained, (scoring) => (scoring.probabilityPpm! ^= 1)],
      [explained, (scoring) => (scoring.contributions[0]!.marginE6 += 1n)],
      [explained, (scoring) => scoring.contributions.reverse()],
      [explained, (scoring) => (scoring.contributions = [])],
      [explained, (scoring) => (scoring.reasons = [{ code: "LUCK", points: 1 }])],
      [explained, (scoring) => (scoring.modelId += "x")],
      [shadowed, ({ challenger }) => (challenger!.score += 1)],
      [shadowed, ({ challenger }) => (challenger!.marginE6! += 1n)],
      [shadowed, ({ challenger }) => (challenger!.probabilityPpm! ^= 1)],
      [shadowed, ({ challenger }) => (challenger!.outcome ^= 1)],
      [shadowed, ({ challenger }) => (challenger!.modelHash = Buffer.alloc(32, 1))],
      [shadowed, (scoring) => (scoring.challenger = undefined)],
      [failed, ({ challenger }) => (challenger!.error = "")],
    ];
    for (const [at, edit] of edits)
      expect(
        await verdictOn({
          decisions: edited(good.decisions, at, Decision, ({ evidence }) => edit(evidence!.scoring!)),
        }),
        String(edit),
      ).toContain("scores");
  });
  it("sees a scoring by another model than the one that the transaction names", async () => {
    const scorings = good.decisions.map(({ value }) => Decision.decode(Any.decode(value!).value).evidence!);
    const [named, other] = [1, 2].map((id) => scorings.find(({ scoring }) => scoring!.modelId === `named-${id}`)!);
    const at = scorings.indexOf(named!);
    expect(
      await verdictOn({
        decisions: edited(good.decisions, at, Decision, ({ evidence }) =>
          Object.assign(evidence!.scoring!, {
            modelId: other!.scoring!.modelId,
            modelHash: other!.scoring!.modelHash,
          }),
        ),
      }),
    ).toContain("scores");
  });
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
  it.each([ACCOUNT_COUNTER, MERCHANT_MODEL])("sees a rest of %s that was at another time, or was none", async (of) => {
    const at = good.evidence.findIndex(({ value }) => {
      const { kind, function: name } = StateEvent.decode(Any.decode(value!).value);
      return kind === StateEvent_Kind.REST && name === of;
    });
    expect(at).toBeGreaterThanOrEqual(0);
    for (const edit of [
      (event: StateEvent) => void (event.eventTimeMs += 1n),
      (event: StateEvent) => void (event.kind = StateEvent_Kind.EXPIRY),
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
    expect(broken(await judged(await play(steps, 5, 0, { learned: { labelDelayMs: 3 * HOUR_MS } }), KNOWN))).toEqual(
      expect.arrayContaining(["account-features", "merchant-features"]),
    );
    expect(broken(await judged(await play(steps, 5, 0, { learned: { events: 3 } }), KNOWN))).toEqual(
      expect.arrayContaining(["account-features", "merchant-features"]),
    );
    expect(
      broken(await judged(await play(steps, 5, 0, { learned: { places: false } }, [PLACES, PLACES]), KNOWN)),
    ).toContain("account-features");
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
