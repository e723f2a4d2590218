import { DAY_SECONDS, HANDBOOK_START_MS, type HandbookDataSet } from "../ingress-generator/handbook/data-set.js";
import { type Machine, thisMachine } from "../terminal/json-report.js";
import type { QualityIntervals } from "./metrics/bootstrap.js";
import type { Quality } from "./metrics/scored.js";
import { type Published, PUBLISHED } from "./published.js";
import { ALL_WEEKS, type EvaluationWeek, OFFICIAL_WEEK, testDay } from "./weeks.js";

/** A week's test transactions, and how well their frauds were found. */
export interface EvaluatedWeek extends EvaluationWeek, Quality {
  /** The first day of the test week, such as 2018-08-08. */
  readonly testFrom: string;
  readonly transactions: number;
  readonly frauds: number;
  readonly intervals: QualityIntervals;
}

/** `reports/evaluate.json`. */
export interface EvaluationReport {
  readonly detector: string;
  readonly dataset: { readonly transactions: number; readonly frauds: number };
  readonly weeks: readonly EvaluatedWeek[];
  readonly official: EvaluatedWeek;
  /** Over the weeks. */
  readonly mean: Quality;
  readonly published: readonly Published[];
  readonly machine: Machine;
}

/** @param weeks - the official one among them */
export function evaluationReport(
  detector: string,
  data: HandbookDataSet,
  weeks: readonly EvaluatedWeek[],
): EvaluationReport {
  const official = weeks.find(({ firstDay }) => firstDay === OFFICIAL_WEEK.firstDay);
  if (official === undefined) throw new Error("the official week was not evaluated");
  const mean = (name: keyof Quality): number => weeks.reduce((sum, week) => sum + week[name], 0) / weeks.length;
  return {
    detector,
    dataset: {
      transactions: data.scenarios.length,
      frauds: data.scenarios.reduce((sum, scenario) => sum + (scenario === 0 ? 0 : 1), 0),
    },
    weeks,
    official,
    mean: {
      auc: mean("auc"),
      averagePrecision: mean("averagePrecision"),
      cardPrecision100: mean("cardPrecision100"),
      recallAt05: mean("recallAt05"),
      valueAt05: mean("valueAt05"),
    },
    published: PUBLISHED,
    machine: thisMachine(),
  };
}

/** Such as 2018-08-08. @param day - counted from the data set's first one */
const dateOf = (day: number): string =>
  new Date(HANDBOOK_START_MS + day * DAY_SECONDS * 1000).toISOString().slice(0, 10);

/** The first day of a week's test transactions. */
export const testFrom = (week: EvaluationWeek): string => dateOf(testDay(week));

/** What the terminal shows of it. */
export function reportText({ detector, official, weeks, mean, published }: EvaluationReport): string {
  const row = (name: string, { auc, averagePrecision, cardPrecision100 }: Omit<Published, "detector">): string =>
    `  ${name.padEnd(60)}${[auc, averagePrecision, cardPrecision100].map((value) => three(value).padStart(8)).join("")}`;
  const between = ([low, high]: readonly [number, number]): string => `${three(low)}–${three(high)}`;
  const { auc, averagePrecision, cardPrecision100 } = official.intervals;
  return [
    `Test week from ${official.testFrom}: ${official.transactions} transactions, ${official.frauds} frauds`,
    `  ${"".padEnd(60)}${["AUC", "AP", "CP@100"].map((head) => head.padStart(8)).join("")}`,
    ...published.map((one) => row(`published: ${one.detector}`, one)),
    row(detector, official),
    `  95 %: AUC ${between(auc)}, average precision ${between(averagePrecision)}, card precision@100 ${between(cardPrecision100)}`,
    `  with alerts on 0.5 % of the transactions: ${three(official.recallAt05)} of the frauds, ${three(official.valueAt05)} of their value`,
    ...(weeks.length === 1
      ? []
      : [
          "",
          `The same on ${weeks.length} weeks`,
          ...weeks.map((week) => row(`test from ${week.testFrom}: ${week.transactions}, ${week.frauds} frauds`, week)),
          row("mean", mean),
        ]),
  ].join("\n");
}

const three = (value: number): string => value.toFixed(3).replace(/^0/, "");

/** The weeks to evaluate. @param all - whether the official one is not enough */
export const weeksOf = (all: boolean): readonly EvaluationWeek[] => (all ? ALL_WEEKS : [OFFICIAL_WEEK]);
