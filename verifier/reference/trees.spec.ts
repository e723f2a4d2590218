import { readFileSync } from "node:fs";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { anyTable, anyTreesModel } from "../../functions/testing/tree-models.js";
import * as functions from "../../functions/transaction-scorer/trees.js";
import { contributionsOf, marginOf, onLines } from "./trees.js";

const FEATURES = ["amount_minor", "account.velocity_count", "merchant.recent_count", "account.day_count"] as const;

describe("the reference's trees", () => {
  const values = fc.array(
    fc.oneof(fc.bigInt({ min: -6n, max: 6n }), fc.constantFrom(2n ** 64n - 1n, 2n ** 53n + 1n, -(2n ** 63n))),
    { minLength: FEATURES.length, maxLength: FEATURES.length },
  );

  it("say what the functions' say, bit for bit, though they work differently", () => {
    fc.assert(
      fc.property(anyTreesModel(FEATURES), values, (model, own) => {
        const row = Float64Array.from(own, Number);
        expect(marginOf(model, own)).toBe(BigInt(functions.marginOf(model.trees, row)));
        expect(contributionsOf(model, own)).toEqual(functions.contributionsOf(model.trees, row, model.ordinary));
      }),
      { numRuns: 2000 },
    );
  });

  it("have the same tables", () => {
    fc.assert(
      fc.property(anyTable(1_000_000), fc.integer({ min: -1e9, max: 1e9 }), (table, margin) => {
        for (const at of [margin, table.margins[0]!, table.margins.at(-1)!, table.margins[1]! - 1])
          expect(onLines(table, BigInt(at))).toBe(functions.valueAt(table, at));
      }),
      { numRuns: 2000 },
    );
  });

  it("agree on a trained model", () => {
    const model = functions.parseTrees(
      readFileSync(new URL("../../models/handbook/day-115.json", import.meta.url), "utf8"),
    );
    // Around the ordinary values, and around where its trees split.
    const ways = model.features.map((_, column) => [
      model.ordinary[column]!,
      ...model.trees.flatMap(({ feature, threshold }) => threshold.filter((_, n) => feature[n] === column)),
    ]);
    fc.assert(
      fc.property(
        fc.tuple(...ways.map((some) => fc.tuple(fc.constantFrom(...some), fc.nat(1)).map(([a, b]) => BigInt(a + b)))),
        (own) => {
          const row = Float64Array.from(own, Number);
          const margin = functions.marginOf(model.trees, row);
          expect(marginOf(model, own)).toBe(BigInt(margin));
          const contributions = contributionsOf(model, own);
          expect(contributions).toEqual(functions.contributionsOf(model.trees, row, model.ordinary));
          expect(contributions.reduce((sum, one) => sum + one, 0n)).toBe(
            BigInt(margin - functions.marginOf(model.trees, Float64Array.from(model.ordinary))),
          );
          for (const table of [model.probability, model.score])
            expect(onLines(table, BigInt(margin))).toBe(functions.valueAt(table, margin));
        },
      ),
      { numRuns: 50 },
    );
  });
});
