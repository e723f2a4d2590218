import { describe, expect, it } from "vitest";

import { BAYES_REFERENCE } from "./bayes-reference.js";
import { pageOf } from "./page.js";
import { PUBLISHED } from "./published.js";
import { countsOf, type EvaluatedWeek, evaluatedOf, evaluationReport, isGood, reportText, testFrom } from "./report.js";
import { ALL_WEEKS } from "./weeks.js";

const week = (firstDay: number, averagePrecision: number): EvaluatedWeek => ({
  firstDay,
  testFrom: testFrom({ firstDay }),
  transactions: 58_264,
  frauds: 385,
  expectedFrauds: 390.4,
  auc: 0.9,
  averagePrecision,
  cardPrecision100: 0.3,
  recallAt05: 0.7,
  valueAt05: 1,
  intervals: {
    auc: [0.8, 0.95],
    averagePrecision: [0.7, 0.8],
    cardPrecision100: [0.25, 0.35],
    recallAt05: [0.6, 0.75],
    valueAt05: [0.9, 1],
  },
  curve: [],
  calibration: [],
  scenarios: [],
  decided: [],
});
const data = countsOf({ scenarios: Uint8Array.of(0, 1, 0, 3) });

describe("the report of an evaluation", () => {
  const report = evaluationReport(
    data,
    evaluatedOf("baseline", [week(115, 0.6)]),
    evaluatedOf("trees", [week(101, 0.7), week(115, 0.8)]),
    { published: PUBLISHED, bayes: BAYES_REFERENCE },
  );

  it("has the fields that others read", () => {
    expect(report).toMatchObject({
      detector: "trees",
      dataset: { transactions: 4, frauds: 2 },
      official: { firstDay: 115, testFrom: "2018-08-08", averagePrecision: 0.8 },
      baseline: { detector: "baseline", official: { averagePrecision: 0.6 } },
    });
    expect(report.mean.averagePrecision).toBeCloseTo(0.75, 12);
    expect(report.published.find(({ detector }) => detector === "logistic regression")).toMatchObject({ auc: 0.871 });
  });

  it("shows each detector's row under the published ones, and the weeks where there are several", () => {
    const lines = reportText(report).split("\n");
    expect(lines[0]).toMatch(
      /^Test week from 2018-08-08: 58264 transactions, 385 frauds +AUC +AP +CP@100 +recall +value$/,
    );
    expect(lines.filter((line) => line.startsWith("  published: ")).length).toBe(report.published.length);
    expect(lines.find((line) => line.startsWith("  trees"))).toMatch(/^ {2}trees +\.900 +\.800 +\.300 +\.700 +1\.000$/);
    expect(lines.filter((line) => line.includes("95 % of draws: AUC .800–.950, AP .700–.800")).length).toBe(2);
    expect(lines.filter((line) => line.startsWith("    test from 2018-07-25: ")).length).toBe(1);
  });

  it("stands beside what can be known at most, week by week", () => {
    expect(report.bayes?.map(({ firstDay }) => firstDay)).toEqual(ALL_WEEKS.map(({ firstDay }) => firstDay));
    const text = reportText(report);
    expect(text).toMatch(/^ {2}Bayes reference, labels a week late +\.894 +\.780 +\.303/m);
    expect(text).toContain("reference's average precision: 2018-07-25 91.4 %, 2018-08-08 102.6 %; mean 97.1 % of .773");
    const page = pageOf(report).text;
    for (const shown of ["Bayes reference", "91.4 %", "102.6 %", ".700–.800"]) expect(page).toContain(shown);
    const alone = evaluationReport(data, evaluatedOf("b", []), evaluatedOf("trees", [week(115, 0.76)]), {
      bayes: BAYES_REFERENCE,
    });
    expect(reportText(alone)).toContain("Of the Bayes reference's average precision: 97.4 %");
  });

  it("shows a reference with the scenarios, and what the cents give away, where there is one", () => {
    const scenario = { ...week(115, 0.5), scenario: "4: a stolen card", frauds: 9 };
    const compared = evaluationReport(
      data,
      evaluatedOf("baseline", [week(115, 0.6)]),
      evaluatedOf("trees", [{ ...week(115, 0.8), scenarios: [scenario] }]),
      {
        references: [evaluatedOf("all-knowing", [week(115, 1)])],
        cents: {
          here: [{ scenario: "3: a compromised customer", frauds: 1, auc: 0.501 }],
          handbook: [{ scenario: "3: a compromised customer", frauds: 1, auc: 0.898 }],
        },
      },
    );
    const text = reportText(compared);
    expect(text).not.toContain("published");
    expect(text).toMatch(/^ {2}all-knowing +\.900 +1\.000/m);
    expect(text).toMatch(/^trees, by scenario +AUC.*\n {2}4: a stolen card \(9\) +\.900 +\.500/m);
    expect(text).toContain("  here 3 .501\n  of the Handbook's data set 3 .898");
    const page = pageOf(compared).text;
    for (const shown of ["all-knowing", "4: a stolen card", ".898"]) expect(page).toContain(shown);
  });

  it("says so when no test week was among the days", () => {
    const none = evaluationReport(data, evaluatedOf("baseline", []), evaluatedOf("trees", []));
    expect(none.official).toBeUndefined();
    expect(reportText(none)).toContain("No test week was evaluated");
  });

  it("is good only when the stream is what the data set says, once each", () => {
    const stream = { decisions: 4, labels: 2, duplicates: 0, errors: 0, errorTexts: [], incomplete: 0 };
    const parity = { features: 20, transactions: 4, mismatches: 0, first: [] };
    const of = (outcome: Partial<typeof stream>, mismatches = 0) =>
      evaluationReport(data, evaluatedOf("baseline", []), evaluatedOf("trees", [week(115, 0.8)]), {
        streamed: {
          outcome: { ...stream, ...outcome },
          parity: { ...parity, mismatches, first: mismatches === 0 ? [] : ["transaction 3: run is 1"] },
          seconds: 2,
          jobRestarts: 0,
        },
      });
    expect(isGood(of({}))).toBe(true);
    expect(of({}).stream).toMatchObject({ perSecond: 2 });
    expect([of({ duplicates: 1 }), of({ errors: 1 }), of({}, 1)].map(isGood)).toEqual([false, false, false]);
    expect(reportText(of({}, 1))).toContain(
      "20 features and the score of 4 transactions compared with the data set: 1 differ\n  transaction 3: run is 1",
    );
    expect(pageOf(of({})).text).toContain("what was streamed is what the data set says");
  });
});
