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
