import { readFileSync } from "node:fs";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { scoreByTrees, treesFileOf } from "./batch/trees-of-week.js";
import { LEAF_UNIT, marginOf, parseTrees, quantised, type Tree } from "./trees.js";
import { ALL_WEEKS, OFFICIAL_WEEK, WEEK_DAYS } from "./weeks.js";

/** `value 0 ≤ 3.5 ? (value 1 ≤ −0.5 ? 0.25 : −1) : 2`. */
const TREE: Tree = { feature: [0, 1], threshold: [3.5, -0.5], left: [1, -1], right: [-2, -3], leaf: [0.25, 2, -1] };
const LEAF: Tree = { feature: [], threshold: [], left: [], right: [], leaf: [0.125] };
const row = (...values: number[]): Float64Array => Float64Array.from(values);

describe("trees", () => {
  it.each([
    [[3, -1], 0.25],
    [[3, 0], -1],
    [[4, -1], 2],
  ])("take each split's way: %j", (values, leaf) => {
    expect(marginOf([TREE], row(...values))).toBe(leaf);
    expect(marginOf([TREE, LEAF, TREE], row(...values))).toBe(2 * leaf + 0.125);
  });

  it("take the same ways when they are whole numbers, for features that are", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.double({ min: -1e6, max: 1e6, noNaN: true }), (a, b, threshold) => {
        const trees = [{ ...TREE, threshold: [threshold, -0.5] }, LEAF];
        expect(marginOf(quantised(trees), row(a, b)) * LEAF_UNIT).toBeCloseTo(marginOf(trees, row(a, b)), 6);
      }),
    );
  });
});

describe("a model file of trees", () => {
  const file = {
    id: "x",
    kind: "trees",
    description: "",
    features: ["a", "b"],
    trainedOn: { firstDay: 0, lastDay: 91 },
    training: {},
    trees: quantised([TREE]),
  };

  it.each<[string, object]>([
    ["another kind", { kind: "points" }],
    ["a split on a feature that is not there", { features: ["a"] }],
    ["a threshold that is not a whole number", { trees: [TREE] }],
    ["a way in a circle", { trees: [{ ...quantised([TREE])[0], left: [0, -1] }] }],
    ["a leaf that is not there", { trees: [{ ...quantised([TREE])[0], right: [-4, -3] }] }],
    ["too few leaves", { trees: [{ ...quantised([TREE])[0], leaf: [1, 2] }] }],
    ["what nobody knows", { more: 1 }],
  ])("is refused with %s", (_, change) => {
    expect(parseTrees(JSON.stringify(file)).trees.length).toBe(1);
    expect(() => parseTrees(JSON.stringify({ ...file, ...change }))).toThrow("model: ");
  });

  it("scores no week that it was trained on", () => {
    const trained = parseTrees(readFileSync(treesFileOf(OFFICIAL_WEEK), "utf8"));
    expect(trained.trainedOn.lastDay).toBe(OFFICIAL_WEEK.firstDay + WEEK_DAYS - 1);
    expect(() => scoreByTrees(trained, { firstDay: OFFICIAL_WEEK.firstDay - 1 })).toThrow(
      "not known in this test week",
    );
  });

  it.each(ALL_WEEKS)("is there for the training week from day $firstDay, and named after it", (week) => {
    const { id } = parseTrees(readFileSync(treesFileOf(week), "utf8"));
    expect(id).toBe(`handbook-day-${week.firstDay}`);
  });
});
