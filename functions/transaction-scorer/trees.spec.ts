import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { anyTable, anyTree, anyTreesModel } from "../testing/tree-models.js";
import { contributionsOf, marginOf, parseTrees, type Tree, valueAt } from "./trees.js";

/** `value 0 ≤ 3 ? (value 1 ≤ −1 ? 250 : −1000) : 2000`. */
const TREE: Tree = { feature: [0, 1], threshold: [3, -1], left: [1, -1], right: [-2, -3], leaf: [250, 2000, -1000] };
const LEAF: Tree = { feature: [], threshold: [], left: [], right: [], leaf: [125] };
const row = (...values: number[]): Float64Array => Float64Array.from(values);
const FEATURES = ["amount_minor", "account.ratio_permille", "merchant.run"] as const;

describe("trees", () => {
  it.each([
    [[3, -1], 250],
    [[3, 0], -1000],
    [[4, -1], 2000],
  ])("take each split's way: %j", (values, leaf) => {
    expect(marginOf([TREE], row(...values))).toBe(leaf);
    expect(marginOf([TREE, LEAF, TREE], row(...values))).toBe(2 * leaf + 125);
  });
});

describe("contributions", () => {
  const someTrees = fc.array(anyTree(4), { minLength: 1, maxLength: 6 });
  const values = fc.array(fc.integer({ min: -6, max: 6 }), { minLength: 4, maxLength: 4 });

  it("are what Shapley says: half each where both are needed, all to the one that is", () => {
    // Ordinary is [0, 0]: −1000. With the first value alone 2000, with the second alone 250, with both 2000.
    expect(contributionsOf([TREE], row(4, -1), [0, 0])).toEqual([(3000n + 1750n) / 2n, (1250n + 0n) / 2n]);
    expect(contributionsOf([TREE, LEAF], row(4, 0), [0, 0])).toEqual([3000n, 0n]);
    expect(contributionsOf([LEAF], row(4, 0), [0, 0])).toEqual([0n, 0n]);
  });

  it("add up exactly to the margin less the ordinary one", () => {
    fc.assert(
      fc.property(someTrees, values, values, (trees, own, ordinary) => {
        const sum = contributionsOf(trees, row(...own), ordinary).reduce((all, one) => all + one, 0n);
        expect(sum).toBe(BigInt(marginOf(trees, row(...own)) - marginOf(trees, row(...ordinary))));
      }),
      { numRuns: 1000 },
    );
  });

  it("are the mean over all orders of the features, to less than a unit", () => {
    const orders = (left: readonly number[]): number[][] =>
      left.length === 0
        ? [[]]
        : left.flatMap((one) => orders(left.filter((other) => other !== one)).map((rest) => [one, ...rest]));
    fc.assert(
      fc.property(someTrees, values, values, (trees, own, ordinary) => {
        const sums = ordinary.map(() => 0);
        const all = orders([0, 1, 2, 3]);
        for (const order of all) {
          const now = row(...ordinary);
          for (const feature of order) {
            const before = marginOf(trees, now);
            now[feature] = own[feature]!;
            sums[feature]! += marginOf(trees, now) - before;
          }
        }
        for (const [n, one] of contributionsOf(trees, row(...own), ordinary).entries())
          expect(Math.abs(Number(one) - sums[n]! / all.length)).toBeLessThan(1);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a table", () => {
  const table = { margins: [-10, 0, 3], values: [100, 200, 201] };

  it.each([
    [-1e9, 100],
    [-10, 100],
    [-9, 110],
    [0, 200],
    [1, 200],
    [2, 200],
    [3, 201],
    [1e9, 201],
  ])("at %d is %d: straight between knots, rounded down, level outside", (margin, value) =>
    expect(valueAt(table, margin)).toBe(value),
  );

  it("never falls, and is what integers of any size say", () => {
    fc.assert(
      fc.property(
        anyTable(1_000_000),
        fc.integer({ min: -1e9, max: 1e9 }),
        fc.integer({ min: -1e9, max: 1e9 }),
        ({ margins, values }, a, b) => {
          const at = (margin: number): number => valueAt({ margins, values }, margin);
          expect(at(Math.min(a, b))).toBeLessThanOrEqual(at(Math.max(a, b)));
          const next = margins.findIndex((knot) => knot > a);
          if (next < 1) return;
          const exact =
            BigInt(values[next - 1]!) +
            (BigInt(values[next]! - values[next - 1]!) * BigInt(a - margins[next - 1]!)) /
              BigInt(margins[next]! - margins[next - 1]!);
          expect(at(a)).toBe(Number(exact));
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe("a model file of trees", () => {
  const file = {
    id: "x",
    kind: "trees",
    description: "",
    features: ["amount_minor", "merchant.run"],
    trainedOn: { firstDay: 0, lastDay: 91 },
    training: {},
    reviewAt: 400,
    declineAt: 500,
    thresholds: {},
    ordinary: [1000, 0],
    probability: { margins: [-10, 10], values: [0, 1_000_000] },
    score: { margins: [-10, 10], values: [0, 1000] },
    trees: [TREE],
  };

  it.each<[string, object, string]>([
    ["another kind", { kind: "points" }, "kind"],
    ["a feature that is not there", { features: ["amount_minor", "shoe_size"] }, 'there is no feature "shoe_size"'],
    ["a feature twice", { features: ["amount_minor", "amount_minor"] }, "listed once"],
    ["a split on a feature that is not listed", { features: ["amount_minor"], ordinary: [0] }, "that is listed"],
    ["too few ordinary values", { ordinary: [1000] }, "has every feature"],
    ["a threshold that is not a whole number", { trees: [{ ...TREE, threshold: [3.5, -1] }] }, "threshold"],
    ["a way in a circle", { trees: [{ ...TREE, left: [0, -1] }] }, "later split"],
    ["a leaf that is not there", { trees: [{ ...TREE, right: [-4, -3] }] }, "later split"],
    ["too few leaves", { trees: [{ ...TREE, leaf: [1, 2] }] }, "leaf more than splits"],
    [
      "leaves beyond all odds",
      {
        trees: [
          { ...TREE, leaf: [6e8, 0, 0] },
          { ...LEAF, leaf: [6e8] },
        ],
      },
      "sum of leaves",
    ],
    ["a table that falls", { score: { margins: [0, 1], values: [5, 4] } }, "never fall"],
    ["margins that do not rise", { score: { margins: [1, 1], values: [4, 5] } }, "margins rise"],
    ["a table of different lengths", { score: { margins: [1, 2, 3], values: [4, 5] } }, "a value for each margin"],
    ["a probability above one", { probability: { margins: [0, 1], values: [0, 1_000_001] } }, "values"],
    ["thresholds the wrong way round", { reviewAt: 501 }, "declineAt is not below reviewAt"],
    ["what nobody knows", { more: 1 }, "more"],
  ])("is refused with %s", (_, change, message) => {
    expect(parseTrees(JSON.stringify(file)).trees.length).toBe(1);
    expect(() => parseTrees(JSON.stringify({ ...file, ...change }))).toThrow(message);
  });

  it("is refused when a tree asks for more features than shares are made for", () => {
    const splits = Array.from({ length: 21 }, (_, n) => n);
    const wide = {
      feature: splits,
      threshold: splits.map(() => 0),
      left: splits.map((n) => -1 - n),
      right: splits.map((n) => (n === 20 ? -22 : n + 1)),
      leaf: [...splits, 21],
    };
    expect(() => parseTrees(JSON.stringify({ ...file, trees: [wide] }))).toThrow("20 features at most");
  });

  it("may be any that the specs make", () => {
    fc.assert(
      fc.property(anyTreesModel(FEATURES), (model) => {
        expect(parseTrees(JSON.stringify(model))).toEqual(model);
      }),
    );
  });
});
