import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Evidence, Outcome } from "../../protos/gen/fraud/v1/decision.js";
import { sampleModel } from "../testing/samples.js";
import { anyTreesModel } from "../testing/tree-models.js";
import { type Counterfactual, counterfactualsOf } from "./counterfactuals.js";
import { assess, type Model } from "./model.js";

const FEATURES = ["amount_minor", "account.z_permille"] as const;

const evidence = (amountMinor: number, zPermille: number) =>
  Evidence.fromPartial({
    transaction: { amountMinor: BigInt(amountMinor) },
    account: { features: { zPermille: BigInt(zPermille) } },
  });

describe("counterfactuals", () => {
  it("are the nearest approved values of each feature alone: found by trying them all", () => {
    const value = fc.integer({ min: -7, max: 7 });
    let found = 0;
    fc.assert(
      fc.property(anyTreesModel(FEATURES), fc.nat(7), value, (definition, amount, z) => {
        const model: Model = { id: "any", hash: new Uint8Array(32), definition };
        const own = [amount, z];
        const approved = (feature: number, tried: number): boolean => {
          const [a, b] = own.map((one, n) => (n === feature ? tried : one));
          return assess(model, evidence(a!, b!)).outcome === Outcome.APPROVE;
        };
        if (approved(0, amount)) {
          expect(counterfactualsOf(model, evidence(amount, z))).toBeUndefined();
          return;
        }
        const expected: Counterfactual[] = [];
        for (const [n, feature] of FEATURES.entries()) {
          // Thresholds are from -4 to 4.
          // No amount is negative.
          for (let tried = own[n]!; tried >= (n === 0 ? 0 : -8); tried--)
            if (approved(n, tried)) {
              expected.push({ feature, value: BigInt(tried), bound: "at most" });
              break;
            }
          for (let tried = own[n]!; tried <= 8; tried++)
            if (approved(n, tried)) {
              expected.push({ feature, value: BigInt(tried), bound: "at least" });
              break;
            }
        }
        found += expected.length;
        expect(counterfactualsOf(model, evidence(amount, z))).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
    expect(found).toBeGreaterThan(100);
  });

  it("are told of rules, too, and of no feature that is not known", () => {
    const counted = (velocityCount: number) => Evidence.fromPartial({ account: { features: { velocityCount } } });
    const fewer = [{ feature: "account.velocity_count", value: 4n, bound: "at most" }];
    expect(counterfactualsOf(sampleModel(), counted(4))).toBeUndefined();
    expect(counterfactualsOf(sampleModel(), counted(5))).toEqual(fewer);
    expect(counterfactualsOf(sampleModel(), counted(9))).toEqual(fewer);
    expect(counterfactualsOf(sampleModel(), Evidence.fromPartial({}))).toBeUndefined();
  });
});
