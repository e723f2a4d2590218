import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { AccountState } from "../../protos/gen/fraud/v1/internal.js";
import { Verdict } from "../../protos/gen/fraud/v1/transaction.js";
import { sampleLabel } from "../testing/samples.js";
import { expireVerdicts, recordVerdict } from "./verdicts.js";

const fresh = () => AccountState.fromPartial({});

describe("recordVerdict", () => {
  it("counts a fraud once, and takes it back where it was counted", () => {
    const state = fresh();
    expect(recordVerdict(state, sampleLabel({ effectiveAtMs: 5n }), 16)).toEqual({
      delta: 1,
      merchantId: "m",
      effectiveAtMs: 5n,
    });
    expect(recordVerdict(state, sampleLabel({ effectiveAtMs: 5n }), 16)).toBeUndefined();
    expect(recordVerdict(state, sampleLabel({ revision: 2, effectiveAtMs: 9n, merchantId: "other" }), 16)).toEqual({
      delta: 0,
      merchantId: "m",
      effectiveAtMs: 5n,
    });
    expect(
      recordVerdict(
        state,
        sampleLabel({ revision: 3, effectiveAtMs: 12n, verdict: Verdict.LEGITIMATE, merchantId: "other" }),
        16,
      ),
    ).toEqual({
      delta: -1,
      merchantId: "m",
      effectiveAtMs: 5n,
    });
    expect(recordVerdict(state, sampleLabel({ revision: 2 }), 16)).toBeUndefined();
  });

  it("forgets the earliest beyond its bound", () => {
    const state = fresh();
    for (const [id, effectiveAtMs] of [
      ["t-1", 30n],
      ["t-2", 10n],
      ["t-3", 20n],
    ] as const)
      recordVerdict(state, sampleLabel({ transactionId: id, effectiveAtMs }), 2);
    expect(state.verdicts.map(({ transactionId }) => transactionId)).toEqual(["t-1", "t-3"]);
  });

  it("forgets the good before the fraudulent, the one just recorded included", () => {
    const state = fresh();
    const record = (transactionId: string, effectiveAtMs: bigint, verdict: Verdict) =>
      recordVerdict(state, sampleLabel({ transactionId, effectiveAtMs, verdict }), 2);
    const held = () => state.verdicts.map(({ transactionId }) => transactionId);
    record("fraud-1", 1n, Verdict.FRAUD);
    for (const n of [2n, 3n, 4n]) record(`good-${n}`, n, Verdict.LEGITIMATE);
    expect(held()).toEqual(["fraud-1", "good-4"]);
    record("fraud-2", 2n, Verdict.FRAUD);
    expect(held()).toEqual(["fraud-1", "fraud-2"]);
    record("good-5", 5n, Verdict.LEGITIMATE);
    expect(held()).toEqual(["fraud-1", "fraud-2"]);
    // A fraud that is taken back stays as the good one that it is now, and then goes first.
    record("fraud-3", 3n, Verdict.FRAUD);
    recordVerdict(
      state,
      sampleLabel({ transactionId: "fraud-3", effectiveAtMs: 9n, revision: 2, verdict: Verdict.LEGITIMATE }),
      2,
    );
    record("fraud-4", 1n, Verdict.FRAUD);
    expect(held()).toEqual(["fraud-2", "fraud-4"]);
  });

  it("keeps every confirmed fraud within its bound, whatever good verdicts come", () => {
    const event = fc.record({ transaction: fc.nat(40), fraud: fc.boolean(), at: fc.bigInt({ min: 1n, max: 50n }) });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const state = fresh();
        const frauds = new Set<number>();
        const seen = new Set<number>();
        for (const { transaction, fraud, at } of events) {
          if (seen.has(transaction) || (fraud && frauds.size === 16)) continue;
          seen.add(transaction);
          if (fraud) frauds.add(transaction);
          recordVerdict(
            state,
            sampleLabel({
              transactionId: `t-${transaction}`,
              effectiveAtMs: at,
              verdict: fraud ? Verdict.FRAUD : Verdict.LEGITIMATE,
            }),
            16,
          );
        }
        const held = state.verdicts.filter(({ verdict }) => verdict === Verdict.FRAUD);
        expect(new Set(held.map(({ transactionId }) => transactionId))).toEqual(
          new Set([...frauds].map((one) => `t-${one}`)),
        );
        expect(state.verdicts.length).toBeLessThanOrEqual(16);
      }),
    );
  });

  it("adds up to 1 when the last revision says fraud and to 0 when not, in any order of arrival", () => {
    const label = fc.record({ revision: fc.integer({ min: 1, max: 5 }), fraud: fc.boolean() });
    fc.assert(
      fc.property(fc.array(label, { minLength: 1 }), (labels) => {
        const state = fresh();
        let sum = 0;
        let highest = { revision: 0, fraud: false };
        for (const { revision, fraud } of labels) {
          sum +=
            recordVerdict(state, sampleLabel({ revision, verdict: fraud ? Verdict.FRAUD : Verdict.LEGITIMATE }), 16)
              ?.delta ?? 0;
          if (revision > highest.revision) highest = { revision, fraud };
        }
        expect(sum).toBe(highest.fraud ? 1 : 0);
      }),
    );
  });
});

describe("expireVerdicts", () => {
  it("removes what is effective at or before the cut-off", () => {
    const state = fresh();
    for (const [id, effectiveAtMs] of [
      ["t-1", 9n],
      ["t-2", 10n],
      ["t-3", 11n],
    ] as const)
      recordVerdict(state, sampleLabel({ transactionId: id, effectiveAtMs }), 16);
    expect(expireVerdicts(state, 10n)).toBe(2);
    expect(state.verdicts.map(({ transactionId }) => transactionId)).toEqual(["t-3"]);
    expect(expireVerdicts(state, 10n)).toBe(0);
  });
});
