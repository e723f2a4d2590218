import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { parseTrees } from "../functions/transaction-scorer/trees.js";
import { type PlacesDataSet, placesDataSet } from "../ingress-generator/handbook-places/data-set.js";
import { handbookDataSet, type HandbookDataSet } from "../ingress-generator/handbook/data-set.js";
import { placesReference } from "./batch/places-reference.js";
import { NONE, PLACES_FEATURES } from "./batch/place-features.js";
import { PLACES_TREES, placesTreesFileOf } from "./batch/places-trees.js";
import { type BatchDetector, HANDBOOK_BASELINE, scorerOf, scoreWeek } from "./batch/score-week.js";
import { scoreByTrees } from "./batch/trees-of-week.js";
import { centsGiveAway } from "./cents.js";
import { qualityOf } from "./metrics/quality.js";
import { qualityByScenario } from "./metrics/scenarios.js";
import { ALL_WEEKS, OFFICIAL_WEEK, testTransactions } from "./weeks.js";

/** All of it: 1,787,037 transactions. */
const data: PlacesDataSet = placesDataSet();
/** What a detector makes of the official week's test. */
const inOfficialWeek = (of: HandbookDataSet, detector: BatchDetector) =>
  scoreWeek(of, OFFICIAL_WEEK, scorerOf(of, OFFICIAL_WEEK, detector));

describe("the second yardstick", () => {
  it("has eight test weeks, of so many transactions and frauds", () => {
    expect(
      ALL_WEEKS.map((week) => {
        const test = testTransactions(data, week);
        return [week.firstDay, test.length, test.filter((at) => data.scenarios[at] !== 0).length];
      }),
    ).toEqual([
      [101, 58_720, 415],
      [115, 58_121, 437],
      [122, 57_712, 409],
      [129, 58_476, 393],
      [136, 58_566, 422],
      [143, 58_457, 435],
      [150, 58_051, 454],
      [157, 57_681, 417],
    ]);
  });

  it("is told apart nearly wholly by who knows what the simulator hides, with probabilities that add up", () => {
    const scored = inOfficialWeek(data, placesReference(data));
    const { auc, averagePrecision } = qualityOf(scored)();
    expect(auc).toBeGreaterThan(0.9999);
    expect(averagePrecision).toBeGreaterThan(0.99);
    const frauds = scored.frauds.reduce((sum, one) => sum + one, 0);
    const expected = scored.scores.reduce((sum, one) => sum + one, 0);
    expect(Math.abs(expected / frauds - 1)).toBeLessThan(0.02);
  });

  it("is told apart as well as docs/detection.md says by a logistic regression and by trees, in the official week", () => {
    const baseline = qualityOf(inOfficialWeek(data, HANDBOOK_BASELINE))();
    expect(baseline.averagePrecision.toFixed(3)).toBe("0.429");
    const scored = inOfficialWeek(data, PLACES_TREES);
    const { auc, averagePrecision, cardPrecision100 } = qualityOf(scored)();
    expect([auc, averagePrecision, cardPrecision100].map((one) => one.toFixed(3))).toEqual(["0.948", "0.790", "0.399"]);
    const test = testTransactions(data, OFFICIAL_WEEK);
    const stolen = qualityByScenario(scored, (place) => data.scenarios[test[place]!]!).at(-1)!;
    expect(stolen.scenario).toBe("4: a stolen card");
    expect(stolen.auc).toBeGreaterThan(0.97);
  });

  it("has trees for each week that were trained on nothing that the week may not know", () => {
    for (const week of ALL_WEEKS) expect(() => PLACES_TREES.learned(data, week)).not.toThrow();
    const trained = parseTrees(readFileSync(placesTreesFileOf(OFFICIAL_WEEK), "utf8"));
    expect(trained).toMatchObject({ id: "places-day-115", unknown: NONE });
    expect(() => scoreByTrees(trained, { firstDay: OFFICIAL_WEEK.firstDay - 1 }, PLACES_FEATURES)).toThrow(
      "not known in this test week",
    );
    expect(() => scoreByTrees(trained, OFFICIAL_WEEK)).toThrow("other features");
  });
});

describe("the cents alone", () => {
  const aucs = (of: Parameters<typeof centsGiveAway>[0]): string[] =>
    centsGiveAway(of).map(({ scenario, auc }) => `${scenario[0]} ${auc.toFixed(3)}`);

  it("give away the Handbook's third scenario, and nothing else of it", () => {
    expect(aucs(handbookDataSet())).toEqual(["1 0.494", "2 0.510", "3 0.898"]);
  });

  it("give away nothing of the data set with places", () => {
    expect(aucs(data)).toEqual(["1 0.502", "2 0.501", "3 0.492", "4 0.499"]);
  });
});
