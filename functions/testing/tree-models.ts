import fc from "fast-check";

import type { FeatureName } from "../transaction-scorer/feature-vector.js";
import type { Table, Tree, TreesModel } from "../transaction-scorer/trees.js";

/** A tree of whole numbers over so many features; thresholds are small, so that ways are taken and missed. */
export const anyTree = (features: number): fc.Arbitrary<Tree> =>
  fc
    .array(fc.record({ feature: fc.nat(features - 1), threshold: fc.integer({ min: -4, max: 4 }), at: fc.nat() }), {
      maxLength: 8,
    })
    .chain((splits) =>
      fc.tuple(
        fc.constant(splits),
        fc.array(fc.integer({ min: -3_000_000, max: 3_000_000 }), {
          minLength: splits.length + 1,
          maxLength: splits.length + 1,
        }),
      ),
    )
    .map(([splits, leaf]) => {
      // As a tree grows: each split takes the place of a leaf, whose number its left side keeps.
      const left: number[] = [];
      const right: number[] = [];
      for (const [n, { at }] of splits.entries()) {
        const place = -1 - (at % (n + 1));
        for (const ways of [left, right]) {
          const found = ways.indexOf(place);
          if (found !== -1) ways[found] = n;
        }
        left.push(place);
        right.push(-1 - (n + 1));
      }
      return {
        feature: splits.map(({ feature }) => feature),
        threshold: splits.map(({ threshold }) => threshold),
        left,
        right,
        leaf,
      };
    });

/** A table as model files have it. */
export const anyTable = (most: number): fc.Arbitrary<Table> =>
  fc
    .uniqueArray(fc.oneof(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: -5_000_000, max: 5_000_000 })), {
      minLength: 2,
      maxLength: 12,
    })
    .chain((margins) =>
      fc.tuple(fc.constant(margins), fc.array(fc.nat(most), { minLength: margins.length, maxLength: margins.length })),
    )
    .map(([margins, values]) => ({ margins: margins.sort((a, b) => a - b), values: values.sort((a, b) => a - b) }));

/** A model of trees over these features, as its file has it. */
export const anyTreesModel = (features: readonly FeatureName[]): fc.Arbitrary<TreesModel> =>
  fc
    .record({
      trees: fc.array(anyTree(features.length), { minLength: 1, maxLength: 8 }),
      ordinary: fc.array(fc.integer({ min: -5, max: 5 }), { minLength: features.length, maxLength: features.length }),
      probability: anyTable(1_000_000),
      score: anyTable(1000),
      thresholds: fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 1000 })),
    })
    .map(({ thresholds, ...rest }) => ({
      id: "any",
      kind: "trees",
      description: "",
      features: [...features],
      trainedOn: { firstDay: 0, lastDay: 1 },
      training: {},
      reviewAt: Math.min(...thresholds),
      declineAt: Math.max(...thresholds),
      thresholds: {},
      ...rest,
    })) as fc.Arbitrary<TreesModel>;
