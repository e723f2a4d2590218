import { DAY_SECONDS, HANDBOOK_START_MS, type HandbookDataSet } from "../ingress-generator/handbook/data-set.js";
import { type Machine, thisMachine } from "../terminal/json-report.js";
import type { BayesWeek } from "./bayes-reference.js";
import type { QualityIntervals } from "./metrics/bootstrap.js";
import type { CalibrationBin } from "./metrics/calibration.js";
import type { Outcomes } from "./metrics/costs.js";
import type { CurvePoint } from "./metrics/curves.js";
import type { ScenarioQuality } from "./metrics/scenarios.js";
import type { Quality } from "./metrics/scored.js";
import type { CentsAuc } from "./cents.js";
import type { Published } from "./published.js";
import type { Parity } from "./stream/parity.js";
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
  readonly curve: readonly CurvePoint[];
  readonly calibration: readonly CalibrationBin[];
  readonly scenarios: readonly ScenarioQuality[];
  /** What thresholds would have come to: by costs, and by what analysts have time for. */
  readonly decided: readonly (Outcomes & { readonly by: string })[];
}

/** What a detector reaches. */
export interface Evaluated {
  readonly detector: string;
  readonly weeks: readonly EvaluatedWeek[];
  /** `undefined`: it was not evaluated, and neither was any other. */
  readonly official: EvaluatedWeek | undefined;
  /** Over the weeks; NaN without any. */
  readonly mean: Quality;
}

/** How large a data set is. */
export interface DataSetCounts {
  readonly transactions: number;
  readonly frauds: number;
}

/** `reports/evaluate.json`. */
export interface EvaluationReport extends Evaluated {
  /** The whole data set, also where only what its weeks need was streamed; of a part that was asked for, that part. */
  readonly dataset: DataSetCounts;
  /** What the Handbook's simplest detector reaches here. */
  readonly baseline: Evaluated;
  /** Of this data set; empty where nobody has. */
  readonly published: readonly Published[];
  /** What can be known of this data set at most, by week; absent where that is not known. */
  readonly bayes?: readonly BayesWeek[];
  /** What somebody reaches who knows what nobody can. */
  readonly references?: readonly Evaluated[];
  /** What the cents of amounts alone give away, of this data set and of the Handbook's. */
  readonly cents?: { readonly here: readonly CentsAuc[]; readonly handbook: readonly CentsAuc[] };
  /** Of the running functions and the data set; absent of a batch. */
  readonly parity?: Parity;
  readonly stream?: StreamFigures;
  readonly machine: Machine;
}

/** How the data set went through the cluster. */
export interface StreamFigures {
  readonly decisions: number;
  readonly labels: number;
  /** From the first transaction sent to the last decision. */
  readonly seconds: number;
  readonly perSecond: number;
  readonly duplicates: number;
  /** Decisions that say that something went wrong, and the first few of them. */
  readonly errors: number;
  readonly errorTexts: readonly string[];
  /** Decisions with features of a window that did not hold everything. */
  readonly incomplete: number;
  readonly jobRestarts: number | "unreachable";
}

/** What a stream did, and how it compares. */
export interface StreamedFigures {
  readonly outcome: Omit<StreamFigures, "seconds" | "perSecond" | "jobRestarts">;
  readonly parity: Parity;
  readonly seconds: number;
  readonly jobRestarts: number | "unreachable";
}

export function evaluatedOf(detector: string, weeks: readonly EvaluatedWeek[]): Evaluated {
  const official = weeks.find(({ firstDay }) => firstDay === OFFICIAL_WEEK.firstDay);
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

export const countsOf = ({ scenarios }: Pick<HandbookDataSet, "scenarios">): DataSetCounts => ({
  transactions: scenarios.length,
  frauds: scenarios.reduce((sum, scenario) => sum + (scenario === 0 ? 0 : 1), 0),
});

export const evaluationReport = (
  dataset: DataSetCounts,
  baseline: Evaluated,
  evaluated: Evaluated,
  {
    published = [],
    streamed,
    ...compared
  }: Partial<Pick<EvaluationReport, "published" | "bayes" | "references" | "cents">> & {
    readonly streamed?: StreamedFigures | undefined;
  } = {},
): EvaluationReport => ({
  ...evaluated,
  dataset,
  baseline,
  published,
  ...compared,
  ...(streamed && { parity: streamed.parity, stream: streamFigures(streamed) }),
  machine: thisMachine(),
});

function streamFigures({ outcome, seconds, jobRestarts }: StreamedFigures): StreamFigures {
  const { decisions, labels, duplicates, errors, errorTexts, incomplete } = outcome;
  const perSecond = Math.round(decisions / seconds);
  return { decisions, labels, seconds, perSecond, duplicates, errors, errorTexts, incomplete, jobRestarts };
}

/** Whether the stream gave what the data set says, once each. */
export const isGood = ({ parity, stream }: EvaluationReport): boolean =>
  (parity?.mismatches ?? 0) + (stream?.duplicates ?? 0) + (stream?.errors ?? 0) === 0;

/** Such as 2018-08-08. @param day - counted from the data set's first one */
const dateOf = (day: number): string =>
  new Date(HANDBOOK_START_MS + day * DAY_SECONDS * 1000).toISOString().slice(0, 10);

/** The first day of a week's test transactions. */
export const testFrom = (week: EvaluationWeek): string => dateOf(testDay(week));

/** What the terminal shows of it. */
export function reportText(report: EvaluationReport): string {
  const { baseline, published, bayes = [], references = [], cents, parity, stream, ...evaluated } = report;
  const { official } = evaluated;
  const atMost = bayes.find(({ firstDay }) => firstDay === official?.firstDay);
  const detectors = [baseline, evaluated, ...references];
  return [
    ...(official === undefined
      ? ["No test week was evaluated: too few days."]
      : [
          heading(
            `Test week from ${official.testFrom}: ${official.transactions} transactions, ${official.frauds} frauds`,
          ),
          ...published.map((one) => row(`published: ${one.detector}`, one)),
          ...(atMost === undefined ? [] : [row(BAYES_NAME, atMost)]),
          ...detectors.flatMap(({ detector, official: week }) =>
            week === undefined ? [] : [row(detector, week), interval(week)],
          ),
          ...(references.length === 0 ? [] : detectors.flatMap(scenariosText)),
          "",
          ...official.decided.map(decidedText),
        ]),
    ...(evaluated.weeks.length <= 1 ? [] : detectors.flatMap(weeksText)),
    ...bayesText(evaluated, bayes),
    ...(cents === undefined ? [] : ["", ...centsText(cents)]),
    ...(parity === undefined || stream === undefined ? [] : ["", ...streamText(parity, stream)]),
  ].join("\n");
}

function scenariosText({ detector, official }: Evaluated): string[] {
  if (official === undefined) return [];
  return [
    "",
    heading(`${detector}, by scenario`),
    ...official.scenarios.map((one) => row(`${one.scenario} (${one.frauds})`, one)),
  ];
}

const centsText = ({ here, handbook }: NonNullable<EvaluationReport["cents"]>): string[] => {
  const all = (some: readonly CentsAuc[]): string =>
    some.map(({ scenario, auc }) => `${scenario.split(":")[0]} ${three(auc)}`).join(", ");
  return [
    "What the amounts' cents alone give away, as AUC by scenario:",
    `  here ${all(here)}`,
    `  of the Handbook's data set ${all(handbook)}`,
  ];
};

const decidedText = ({ by, thresholds, frauds, genuine, looksADay, saved }: EvaluatedWeek["decided"][number]): string =>
  `Thresholds by ${by}: review from ${thresholds.reviewFrom.toFixed(4)}, ${Number.isFinite(thresholds.declineFrom) ? `decline from ${thresholds.declineFrom.toFixed(4)}` : "decline nothing"}: ${looksADay.toFixed(0)} looks a day, ${frauds.reviewed + frauds.declined} of ${frauds.approved + frauds.reviewed + frauds.declined} frauds stopped, ${genuine.declined} good customers stopped, ${(100 * saved).toFixed(1)} % of the losses saved`;

export const BAYES_NAME = "Bayes reference, labels a week late";

/** A week's average precision as a share of the reference's; `undefined` where there is none. */
export const shareOfBayes = (week: EvaluatedWeek, bayes: readonly BayesWeek[]): number | undefined => {
  const found = bayes.find(({ firstDay }) => firstDay === week.firstDay);
  return found && week.averagePrecision / found.averagePrecision;
};

/** Such as 98.6 %. */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function bayesText({ weeks, mean }: Evaluated, bayes: readonly BayesWeek[]): string[] {
  const known = weeks.flatMap((week) => {
    const share = shareOfBayes(week, bayes);
    return share === undefined ? [] : [{ week, share }];
  });
  if (known.length <= 1)
    return known.map(({ share }) => `Of the Bayes reference's average precision: ${percent(share)}`);
  const means = bayes.filter(({ firstDay }) => weeks.some((week) => week.firstDay === firstDay));
  const whole = means.reduce((sum, { averagePrecision }) => sum + averagePrecision, 0) / means.length;
  return [
    "",
    `Of the Bayes reference's average precision: ${known.map(({ week, share }) => `${week.testFrom} ${percent(share)}`).join(", ")}; mean ${percent(mean.averagePrecision / whole)} of ${three(whole)}`,
  ];
}

/** How the stream went, in lines. */
export const streamText = (parity: Parity, stream: StreamFigures): string[] => [
  `${stream.decisions} decided in ${Math.round(stream.seconds)} s (${stream.perSecond}/s), ${stream.labels} labels, ${stream.duplicates} decided twice, job restarts: ${stream.jobRestarts}`,
  `${parity.features} features and the score of ${parity.transactions} transactions compared with the data set: ${parity.mismatches} differ`,
  ...parity.first.map((line) => `  ${line}`),
  ...(stream.incomplete === 0 ? [] : [`${stream.incomplete} with windows that did not hold everything`]),
  ...(stream.errors === 0 ? [] : [`${stream.errors} decisions with errors, such as: ${stream.errorTexts.join("; ")}`]),
];

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

/** Such as .123. */
export const three = (value: number | undefined): string =>
  (value === undefined ? "" : value.toFixed(3)).replace(/^0/, "");
