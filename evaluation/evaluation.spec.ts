import { describe, expect, it } from "vitest";

import { HANDBOOK_DAYS, handbookDataSet, type HandbookDataSet } from "../ingress-generator/handbook/data-set.js";
import { type BatchDetector, HANDBOOK_BASELINE, learnedRegression, scorerOf, scoreWeek } from "./batch/score-week.js";
import { TREES } from "./batch/trees-of-week.js";
import { qualityOf } from "./metrics/quality.js";
import { otherFuture } from "./other-future.js";
import { ALL_WEEKS, OFFICIAL_WEEK, testTransactions, trainingTransactions } from "./weeks.js";

/** Of the whole data set, as it was published. */
const data = handbookDataSet();
/** What a detector makes of the official week's test. */
const inOfficialWeek = (of: HandbookDataSet, detector: BatchDetector) =>
  scoreWeek(of, OFFICIAL_WEEK, scorerOf(of, OFFICIAL_WEEK, detector));
const fraudsAmong = (transactions: Iterable<number>): number =>
  [...transactions].filter((at) => data.scenarios[at] !== 0).length;
const between = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);

describe("the Handbook's protocol", () => {
  it("has the published training and test weeks", () => {
    const { from, to } = trainingTransactions(data, OFFICIAL_WEEK);
    expect([to - from, fraudsAmong(between(from, to))]).toEqual([67_240, 598]);
    const test = testTransactions(data, OFFICIAL_WEEK);
    expect([test.length, fraudsAmong(test)]).toEqual([58_264, 385]);
  });

  it("has eight test weeks, of so many transactions and frauds", () => {
    expect(
      ALL_WEEKS.map((week) => {
        const test = testTransactions(data, week);
        return [week.firstDay, test.length, fraudsAmong(test)];
      }),
    ).toEqual([
      [101, 58_505, 374],
      [115, 58_264, 385],
      [122, 57_937, 387],
      [129, 58_337, 408],
      [136, 57_604, 422],
      [143, 58_283, 374],
      [150, 57_880, 410],
      [157, 58_154, 398],
    ]);
  });
});

describe("the Handbook's baseline", () => {
  const scored = inOfficialWeek(data, HANDBOOK_BASELINE);
  const byTrees = inOfficialWeek(data, TREES);

  it("finds frauds as well as it was published to: .871, .606, .291", () => {
    const quality = qualityOf(scored)();
    expect(quality.auc.toFixed(3)).toBe("0.871");
    expect(quality.averagePrecision.toFixed(3)).toBe("0.606");
    expect(quality.cardPrecision100.toFixed(3)).toBe("0.291");
    // pandas' rolling windows and scikit-learn 1.9.1, its tolerance 1e-12.
    expect(quality.auc).toBeCloseTo(0.8705311102449962, 6);
    expect(quality.averagePrecision).toBeCloseTo(0.6057082095100857, 6);
    expect(quality.cardPrecision100).toBeCloseTo(0.2914285714285714, 12);
    expect(quality.recallAt05).toBeCloseTo(0.5766233766233766, 12);
    expect(quality.valueAt05).toBeCloseTo(0.708013652270684, 12);
  });

  it("is judged by a card precision of which .397 is the most: there are not enough frauds for more", () => {
    const knowing = qualityOf({ ...scored, scores: Float64Array.from(scored.frauds) })();
    expect(knowing.cardPrecision100.toFixed(3)).toBe("0.397");
  });

  it("is far below what the trees of models/handbook find, whose probabilities add up to the frauds", () => {
    const quality = qualityOf(byTrees)();
    expect(quality.auc).toBeGreaterThanOrEqual(0.88);
    expect(quality.averagePrecision).toBeGreaterThanOrEqual(0.76);
    expect(quality.cardPrecision100).toBeGreaterThanOrEqual(0.3);
    expect(quality.recallAt05).toBeGreaterThanOrEqual(0.71);
    expect(quality.valueAt05).toBeGreaterThanOrEqual(0.8);
    const expected = byTrees.scores.reduce((sum, probability) => sum + probability, 0);
    expect(expected / 385).toBeGreaterThan(0.95);
    expect(expected / 385).toBeLessThan(1.05);
  });

  const test = testTransactions(data, OFFICIAL_WEEK);
  const place = 20_000;
  const transaction = test[place]!;

  /** The transaction's score; which others are tested does not matter. */
  function scoreAt(of: typeof data, detector: BatchDetector): number {
    const all = testTransactions(of, OFFICIAL_WEEK);
    const at = all.indexOf(transaction);
    return inOfficialWeek(of, detector).scores[at]!;
  }

  it.each([
    { detector: HANDBOOK_BASELINE, before: scored },
    { detector: TREES, before: byTrees },
  ])("scores a transaction of the test week the same, whatever is not known at it: $detector.name", (one) => {
    const changed = otherFuture(data, transaction, 7);
    expect(scoreAt(changed, one.detector)).toBe(one.before.scores[place]);
  });

  it("would be found out when it learned from the test week", () => {
    const cheat: BatchDetector = {
      ...HANDBOOK_BASELINE,
      learned: (of, week) =>
        learnedRegression(of, { from: trainingTransactions(of, week).from, to: test.at(-1)! + 1 }, HANDBOOK_DAYS),
    };
    const changed = otherFuture(data, transaction, 7);
    expect(scoreAt(changed, cheat)).not.toBe(scoreAt(data, cheat));
  });
});
