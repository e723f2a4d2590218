import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { cheapestOf, CostCurve, NEVER, scoreBands, shareOf, stabilityIndex } from "./quality.js";
import type { ScoreCount } from "./wire.js";

const PRESENT = { reviewAt: 400, declineAt: 700 };
const COSTS = { fraud: 100, stopped: 10, look: 3 };

/** Some transactions of each score. */
const someScores: fc.Arbitrary<ScoreCount[]> = fc
  .uniqueArray(
    fc.record({ score: fc.integer({ min: 0, max: 1000 }), counts: fc.tuple(fc.nat(9), fc.nat(9), fc.nat(9)) }),
    {
      selector: ({ score }) => score,
      maxLength: 12,
    },
  )
  .map((all) =>
    all.map(({ score, counts: [frauds, genuine, others] }) => ({
      score,
      decided: frauds + genuine + others,
      frauds,
      genuine,
    })),
  );
const threshold = fc.integer({ min: 0, max: NEVER });

describe("a share", () => {
  it("has Wilson's interval", () => {
    // Of 10 with 8: as R's binom package gives it.
    const { value, from, to } = shareOf(8, 10)!;
    expect(value).toBe(0.8);
    expect(from).toBeCloseTo(0.4902, 4);
    expect(to).toBeCloseTo(0.9433, 4);
    expect(shareOf(0, 0)).toBeUndefined();
    expect(shareOf(0, 5)).toMatchObject({ from: 0, value: 0 });
    expect(shareOf(5, 5)).toMatchObject({ to: 1, value: 1 });
  });

  it("lies in its interval, which is narrower of more", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.nat(10_000), (of, seed) => {
        const part = seed % (of + 1);
        const { value, from, to } = shareOf(part, of)!;
        expect(from).toBeGreaterThanOrEqual(0);
        expect(from).toBeLessThanOrEqual(value);
        expect(value).toBeLessThanOrEqual(to);
        expect(to).toBeLessThanOrEqual(1);
        const more = shareOf(part * 10, of * 10)!;
        expect(more.to - more.from).toBeLessThan(to - from);
      }),
    );
  });
});

describe("the stability index", () => {
  it("is 0 of the same shares, and counts nothing as one in 10,000", () => {
    expect(stabilityIndex([{ share: 0.4, reference: 0.4 }])).toBe(0);
    const bands = [
      { share: 0, reference: 0.5 },
      { share: 1, reference: 0.5 },
    ];
    expect(stabilityIndex(bands)).toBeCloseTo((0.0001 - 0.5) * Math.log(0.0001 / 0.5) + 0.5 * Math.log(2), 10);
  });
});

describe("bands of scores", () => {
  it("add up to all that there are", () => {
    fc.assert(
      fc.property(someScores, (scores) => {
        const total = (some: readonly { decided: number; frauds: number }[]): number[] => [
          some.reduce((sum, { decided }) => sum + decided, 0),
          some.reduce((sum, { frauds }) => sum + frauds, 0),
        ];
        expect(total(scoreBands(scores))).toEqual(total(scores));
      }),
    );
    const one = { decided: 1, frauds: 0, genuine: 0 };
    expect(scoreBands([99, 100, 1000].map((score) => ({ score, ...one })))).toEqual([
      { from: 0, to: 99, ...one },
      { from: 100, to: 199, ...one },
      { from: 900, to: 1000, ...one },
    ]);
  });
});

describe("a cost curve", () => {
  it("has what one gets by deciding each transaction", () => {
    fc.assert(
      fc.property(someScores, threshold, threshold, fc.boolean(), (scores, reviewAt, declineAt, unlabelled) => {
        let [fraudsLetThrough, goodStopped, looks, transactions] = [0, 0, 0, 0];
        for (const { score, decided, frauds, genuine } of scores) {
          const good = unlabelled ? decided - frauds : genuine;
          transactions += frauds + good;
          if (score >= declineAt) goodStopped += good;
          else if (score >= reviewAt) looks += frauds + good;
          else fraudsLetThrough += frauds;
        }
        const curve = new CostCurve(scores, COSTS, unlabelled);
        expect(curve.transactions).toBe(transactions);
        expect(curve.at({ reviewAt, declineAt })).toEqual({
          reviewAt,
          declineAt,
          fraudsLetThrough,
          goodStopped,
          looks,
          cost: 100 * fraudsLetThrough + 10 * goodStopped + 3 * looks,
        });
      }),
    );
  });

  it("marks what costs least: along one threshold, and of all pairs", () => {
    const scores = [
      { score: 300, decided: 40, frauds: 4, genuine: 36 },
      { score: 800, decided: 100, frauds: 90, genuine: 10 },
      { score: 900, decided: 100, frauds: 10, genuine: 90 },
    ];
    const curve = new CostCurve(scores, COSTS, false);
    // Looks at those of 300: 120 instead of 400. The highest threshold that takes them in is the nearest.
    expect(cheapestOf(curve.along("reviewAt", PRESENT), PRESENT)).toMatchObject({ reviewAt: 300, fraudsLetThrough: 0 });
    // So many are good of those of 900 that looking at all of them costs less than declining them.
    expect(cheapestOf(curve.along("declineAt", PRESENT), PRESENT)).toMatchObject({ declineAt: 901, goodStopped: 0 });
    expect(curve.cheapest(PRESENT)).toMatchObject({ reviewAt: 300, declineAt: 901 });
    expect(curve.along("declineAt", PRESENT)).toHaveLength(NEVER + 1);
  });

  it("keeps the present thresholds where none is cheaper", () => {
    const curve = new CostCurve([], COSTS, true);
    expect(curve.cheapest(PRESENT)).toMatchObject({ ...PRESENT, cost: 0 });
    expect(cheapestOf(curve.along("reviewAt", PRESENT), PRESENT)).toMatchObject(PRESENT);
  });

  it("has no cheaper pair than the cheapest", () => {
    fc.assert(
      fc.property(someScores, threshold, threshold, (scores, a, b) => {
        const curve = new CostCurve(scores, COSTS, true);
        const other = curve.at({ reviewAt: Math.min(a, b), declineAt: Math.max(a, b) });
        expect(curve.cheapest(PRESENT).cost).toBeLessThanOrEqual(other.cost);
      }),
      { numRuns: 20 },
    );
  });
});
