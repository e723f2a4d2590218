import { DAY_SECONDS, HANDBOOK_START_MS, type HandbookDataSet } from "../ingress-generator/handbook/data-set.js";
import { type Machine, thisMachine } from "../terminal/json-report.js";
import type { QualityIntervals } from "./metrics/bootstrap.js";
import type { Quality } from "./metrics/scored.js";
import { type Published, PUBLISHED } from "./published.js";
import { type EvaluationWeek, OFFICIAL_WEEK, testDay } from "./weeks.js";

/** A week's test transactions, and how well their frauds were found. */
export interface EvaluatedWeek extends EvaluationWeek, Quality {
  /** The first day of the test week, such as 2018-08-08. */
  readonly testFrom: string;
  readonly transactions: number;
  readonly frauds: number;
  /** The sum of the probabilities: of a calibrated detector about as many as there are. */
  readonly expectedFrauds: number;
  readonly intervals: QualityIntervals;
}

/** What a detector reaches. */
export interface Evaluated {
  readonly detector: string;
  readonly weeks: readonly EvaluatedWeek[];
  readonly official: EvaluatedWeek;
  /** Over the weeks. */
  readonly mean: Quality;
}

/** `reports/evaluate.json`. */
export interface EvaluationReport extends Evaluated {
  readonly dataset: { readonly transactions: number; readonly frauds: number };
  /** What the Handbook's simplest detector reaches here. */
  readonly baseline: Evaluated;
  readonly published: readonly Published[];
  readonly machine: Machine;
}

/** @param weeks - the official one among them */
export function evaluatedOf(detector: string, weeks: readonly EvaluatedWeek[]): Evaluated {
  const official = weeks.find(({ firstDay }) => firstDay === OFFICIAL_WEEK.firstDay);
  if (official === undefined) throw new Error("the official week was not evaluated");
  const mean = (name: keyof Quality): number => weeks.reduce((sum, week) => sum + week[name], 0) / weeks.length;
  return {
    detector,
    weeks,
    official,
    mean: {
      auc: mean("auc"),
      averagePrecision: mean("averagePrecision"),
      cardPrecision100: mean("cardPrecision100"),
      recallAt05: mean("recallAt05"),
      valueAt05: mean("valueAt05"),
    },
  };
}

export const evaluationReport = (
  { scenarios }: HandbookDataSet,
  baseline: Evaluated,
  evaluated: Evaluated,
): EvaluationReport => ({
  ...evaluated,
  dataset: {
    transactions: scenarios.length,
    frauds: scenarios.reduce((sum, scenario) => sum + (scenario === 0 ? 0 : 1), 0),
  },
  baseline,
  published: PUBLISHED,
  machine: thisMachine(),
});

/** Such as 2018-08-08. @param day - counted from the data set's first one */
const dateOf = (day: number): string =>
  new Date(HANDBOOK_START_MS + day * DAY_SECONDS * 1000).toISOString().slice(0, 10);

/** The first day of a week's test transactions. */
export const testFrom = (week: EvaluationWeek): string => dateOf(testDay(week));

/** What the terminal shows of it. */
export function reportText({ baseline, published, ...evaluated }: EvaluationReport): string {
  const { official } = evaluated;
  return [
    heading(`Test week from ${official.testFrom}: ${official.transactions} transactions, ${official.frauds} frauds`),
    ...published.map((one) => row(`published: ${one.detector}`, one)),
    ...[baseline, evaluated].flatMap(({ detector, official: week }) => [row(detector, week), interval(week)]),
    ...(evaluated.weeks.length === 1 ? [] : [baseline, evaluated].flatMap(weeksText)),
  ].join("\n");
}

function weeksText({ detector, weeks, mean }: Evaluated): string[] {
  return [
    "",
    heading(detector),
    ...weeks.map((week) =>
      row(
        `  test from ${week.testFrom}: ${week.transactions}, ${week.frauds} frauds (expected ${Math.round(week.expectedFrauds)})`,
        week,
      ),
    ),
    row("  mean", mean),
  ];
}

const COLUMNS = ["auc", "averagePrecision", "cardPrecision100", "recallAt05", "valueAt05"] as const;
const HEADS = ["AUC", "AP", "CP@100", "recall", "value"];
const NAME_WIDTH = 62;
const COLUMN_WIDTH = 9;

const heading = (text: string): string =>
  `${text.padEnd(NAME_WIDTH)}${HEADS.map((head) => head.padStart(COLUMN_WIDTH)).join("")}`;

const row = (name: string, quality: Partial<Quality>): string =>
  `  ${name.padEnd(NAME_WIDTH - 2)}${COLUMNS.map((column) => three(quality[column]).padStart(COLUMN_WIDTH)).join("")}`;

function interval({ intervals }: EvaluatedWeek): string {
  const between = (column: (typeof COLUMNS)[number]): string => intervals[column].map((end) => three(end)).join("–");
  return `    95 % of draws: ${COLUMNS.map((column, n) => `${HEADS[n]} ${between(column)}`).join(", ")}`;
}

const three = (value: number | undefined): string => (value === undefined ? "" : value.toFixed(3)).replace(/^0/, "");
