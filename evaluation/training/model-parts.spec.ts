import { readFileSync } from "node:fs";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  bandOf,
  LEAF_UNIT,
  marginOf,
  parseTrees,
  type Tree,
  valueAt,
} from "../../functions/transaction-scorer/trees.js";
import { Random } from "../../ingress-generator/random.js";
import { treesFileOf } from "../batch/trees-of-week.js";
import { probabilityOf } from "../log-odds.js";
import { ALL_WEEKS, OFFICIAL_WEEK } from "../weeks.js";
import {
  bandsOf,
  logisticTable,
  mainFeatures,
  mediansOf,
  mostOf,
  quantised,
  scoreTable,
  thresholdsOf,
} from "./model-parts.js";

/** `value 0 ≤ 3.5 ? (value 1 ≤ −0.5 ? 0.25 : −1) : 2`. */
const TREE: Tree = { feature: [0, 1], threshold: [3.5, -0.5], left: [1, -1], right: [-2, -3], leaf: [0.25, 2, -1] };
const LEAF: Tree = { feature: [], threshold: [], left: [], right: [], leaf: [0.125] };
const row = (...values: number[]): Float64Array => Float64Array.from(values);

describe("trees for a model file", () => {
  it("take the same ways, for features that are whole numbers", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.double({ min: -1e6, max: 1e6, noNaN: true }), (a, b, threshold) => {
        const trees = [{ ...TREE, threshold: [threshold, -0.5] }, LEAF];
        expect(marginOf(quantised(trees), row(a, b)) * LEAF_UNIT).toBeCloseTo(marginOf(trees, row(a, b)), 6);
      }),
    );
  });
});

describe("the calibration", () => {
  it("is within 10⁻⁴ of the logistic curve, at 100,000 margins, and never falls", () => {
    const table = logisticTable();
    const random = new Random(7);
    let most = 0;
    for (let n = 0; n < 100_000; n++) {
      const margin = random.int(-20_000_000, 20_000_000);
      most = Math.max(most, Math.abs(valueAt(table, margin) / 1e6 - probabilityOf(margin * LEAF_UNIT)));
    }
    expect(most).toBeLessThan(1e-4);
    expect(table.values.every((value, n) => n === 0 || value >= table.values[n - 1]!)).toBe(true);
  });
});

describe("the score", () => {
  const reference = Array.from({ length: 10_000 }, (_, n) => n * 100);
  const table = scoreTable(reference, 2_000_000);

  it("says how few of the reference are as suspicious: 200 for one in 10, 400 for one in 100", () => {
    for (const [share, score] of [
      [1, 0],
      [0.1, 200],
      [0.01, 400],
      [0.001, 600],
      [0.0001, 800],
    ] as const)
      expect(Math.abs(valueAt(table, reference[Math.round((1 - share) * 10_000)]!) - score)).toBeLessThanOrEqual(1);
  });

  it("goes on to 1000 beyond the reference, at the most that the trees can say", () => {
    expect(valueAt(table, 2_000_000)).toBe(1000);
    expect(valueAt(table, 1_999_000)).toBeLessThan(1000);
    expect(valueAt(table, reference.at(-1)!)).toBeLessThanOrEqual(800);
    expect(valueAt(table, -5)).toBe(0);
    expect(mostOf(quantised([TREE, LEAF]))).toBe(2_125_000);
  });

  it("is a table, whatever the reference", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 200 }), (margins) => {
        const { margins: knots, values } = scoreTable(margins, Math.max(...margins));
        expect(knots.every((knot, n) => n === 0 || knot > knots[n - 1]!)).toBe(true);
        expect(values.every((value, n) => n === 0 || value >= values[n - 1]!)).toBe(true);
        expect([values[0], values.at(-1)]).toEqual([0, 1000]);
      }),
    );
  });
});

describe("thresholds", () => {
  const probability = logisticTable();
  const reference = Array.from({ length: 10_000 }, (_, n) => -8_000_000 + n * 1_200);
  const score = scoreTable(reference, 9_000_000);
  const costs = { lookMinor: 500, stoppedMinor: 5_000, fraudMinor: 10_000, looksPerDay: 10_000 };
  const leastOf = (from: number): number =>
    Math.min(
      ...Array.from({ length: 170_000 }, (_, n) => n * 100 - 8_000_000)
        .filter((margin) => valueAt(score, margin) >= from)
        .map((margin) => valueAt(probability, margin)),
    );

  it("are where a look, and a decline, begin to pay", () => {
    const { reviewAt, declineAt, thresholds } = thresholdsOf({ probability, score }, reference, 1, costs);
    expect(thresholds).toMatchObject({ reviewFromPpm: 50_000, declineFromPpm: 900_000, limitedByLooks: false });
    // Every margin with that score is at least so probable, and one point less would be too few.
    expect(leastOf(reviewAt)).toBeGreaterThanOrEqual(50_000);
    expect(leastOf(reviewAt - 1)).toBeLessThan(50_000);
    expect(leastOf(declineAt)).toBeGreaterThanOrEqual(900_000);
    expect(leastOf(declineAt - 1)).toBeLessThan(900_000);
  });

  it("send no more to review than can be looked at", () => {
    const { reviewAt, declineAt, thresholds } = thresholdsOf({ probability, score }, reference, 2, {
      ...costs,
      looksPerDay: 300,
    });
    const reviewed = reference.filter((margin) => {
      const value = valueAt(score, margin);
      return value >= reviewAt && value < declineAt;
    });
    expect(thresholds.limitedByLooks).toBe(true);
    expect(reviewed.length).toBeLessThanOrEqual(600);
    expect(reviewed.length).toBeGreaterThan(550);
  });
});

it("an ordinary transaction has the lower median of each feature", () => {
  expect(mediansOf([row(1, 9), row(2, 7), row(3, 8), row(100, 6)])).toEqual([2, 7]);
});

describe("the models of models/handbook", () => {
  const read = (week: (typeof ALL_WEEKS)[number]) => parseTrees(readFileSync(treesFileOf(week), "utf8"));

  it.each(ALL_WEEKS)("of the training week from day $firstDay has these tables", (week) => {
    const { probability, score, trees } = read(week);
    expect(probability).toEqual(logisticTable());
    expect(score.margins.at(-1)).toBe(mostOf(trees));
    expect(score.values[0]).toBe(0);
  });

  it("would review about one in a hundred, and decline most of what it is nearly sure of", () => {
    const { reviewAt, declineAt, thresholds } = read(OFFICIAL_WEEK);
    expect({ reviewAt, declineAt }).toEqual({ reviewAt: 398, declineAt: 437 });
    expect(thresholds).toMatchObject({ lookMinor: 400, stoppedMinor: 3_000, fraudMinor: 12_668, looksPerDay: 100 });
  });
});

describe("the reference of a feature", () => {
  it("has bands of a tenth each where values differ, and fewer where they do not", () => {
    const bands = (values: readonly number[]) => bandsOf(Float64Array.from(values));
    expect(bands(Array.from({ length: 1_000 }, (_, n) => 999 - n))).toEqual({
      bounds: [100, 200, 300, 400, 500, 600, 700, 800, 900],
      ppm: Array.from({ length: 10 }, () => 100_000),
    });
    expect(bands([0, 0, 0, 0, 0, 0, 0, 1, 1, 5])).toEqual({ bounds: [1, 5], ppm: [700_000, 200_000, 100_000] });
    // Rarer than a tenth.
    expect(bands([...Array.from({ length: 99 }, () => 0), 3])).toEqual({ bounds: [3], ppm: [990_000, 10_000] });
    expect(bands([7, 7, 7])).toBeUndefined();
  });

  it("has each value in one band, and shares that are theirs", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 200 }), (values) => {
        const bands = bandsOf(Float64Array.from(values));
        if (bands === undefined) {
          expect(new Set(values).size).toBe(1);
          return;
        }
        expect(bands.ppm.reduce((sum, one) => sum + one, 0)).toBe(1_000_000);
        for (const [n, ppm] of bands.ppm.entries()) {
          const own = values.filter((value) => bandOf({ feature: "amount_minor", ...bands }, value) === n);
          expect(own.length).toBeGreaterThan(0);
          expect(Math.abs(ppm - (own.length * 1_000_000) / values.length)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it("is of those that the trees ask for most", () => {
    const names = [..."abcdefghij"];
    expect(mainFeatures([TREE, TREE, { ...LEAF, feature: [2] }], names.slice(0, 4))).toEqual([0, 1, 2, 3]);
    expect(mainFeatures([{ ...TREE, feature: [9, 9] }, TREE], names)).toEqual([9, 0, 1, 2, 3, 4, 5, 6]);
    // It only tells that time has passed.
    expect(mainFeatures([TREE], ["account.genuine_count", "b"])).toEqual([1]);
  });
});
