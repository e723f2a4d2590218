import { setImmediate } from "node:timers/promises";

import { Command, Option } from "commander";

import { LEAF_UNIT } from "../functions/transaction-scorer/trees.js";
import { placesDataSet } from "../ingress-generator/handbook-places/data-set.js";
import {
  HANDBOOK_CUSTOMERS,
  HANDBOOK_DAYS,
  handbookDataSet,
  type HandbookDataSet,
} from "../ingress-generator/handbook/data-set.js";
import { INTERRUPTED, interrupted } from "../terminal/interrupted.js";
import { writeJsonReport } from "../terminal/json-report.js";
import { wholeNumber } from "../terminal/option-values.js";
import { stepView } from "../terminal/step-view.js";
import { BAYES_REFERENCE } from "./bayes-reference.js";
import { placesReference } from "./batch/places-reference.js";
import { PLACES_TREES, PLACES_TREES_AT_ONCE } from "./batch/places-trees.js";
import {
  type BatchDetector,
  HANDBOOK_BASELINE,
  scoredOf,
  type Scorer,
  scorerOf,
  scoreWeek,
} from "./batch/score-week.js";
import { TREES } from "./batch/trees-of-week.js";
import { decisionsIn } from "./batch/decisions-in.js";
import { centsGiveAway } from "./cents.js";
import { bootstrapIntervals } from "./metrics/bootstrap.js";
import { calibrationOf } from "./metrics/calibration.js";
import { curveOf } from "./metrics/curves.js";
import { qualityByScenario } from "./metrics/scenarios.js";
import { probabilityOf } from "./log-odds.js";
import { pageOf } from "./page.js";
import { writePage } from "../terminal/html.js";
import { qualityOf } from "./metrics/quality.js";
import type { Scored } from "./metrics/scored.js";
import {
  countsOf,
  type Evaluated,
  evaluatedOf,
  type EvaluatedWeek,
  evaluationReport,
  isGood,
  reportText,
  testFrom,
} from "./report.js";
import { PUBLISHED } from "./published.js";
import { evaluateStream } from "./stream/evaluate-stream.js";
import { HANDBOOK_YARDSTICK, PLACES_YARDSTICK } from "./stream/yardstick.js";
import { subsetOf } from "./subset.js";

import { ALL_WEEKS, type EvaluationWeek, lastTestDay, OFFICIAL_WEEK, testTransactions } from "./weeks.js";

const REPORT = "reports/evaluate";
const DATA_SETS = ["handbook", "places"] as const;

interface Options {
  readonly batch: boolean;
  readonly dataSet: (typeof DATA_SETS)[number];
  readonly allWeeks: boolean;
  readonly customers: number;
  readonly days?: number;
  readonly draws: number;
  readonly seed: number;
  readonly costLook: number;
  readonly costStopped: number;
  readonly looks: number;
}

/** `npm run evaluate`: how well frauds are found on the Handbook's data set. @returns the exit code */
export async function main(argv: string[]): Promise<number> {
  const program = new Command("npm run evaluate --")
    .description(
      "Says how well frauds are found on the Fraud Detection Handbook's data set, beside what others have published, or on a harder one. Streams it, day by day, through a cluster of its own (native, ports from 23500 on), whose functions compute the features and score by the trees of models/handbook (of the data set with places: evaluation/trees-of-places), each test week by its own; then compares every feature and score with what the data set itself says. Writes reports/evaluate.json and .html.",
    )
    .option(
      "--batch",
      "without a cluster: everything is computed from the data set itself. The Handbook's baseline (15 features, logistic regression), and the same trees",
      false,
    )
    .addOption(
      new Option(
        "--data-set <name>",
        "handbook; or places, the second yardstick: the same simulation with places, stolen cards, and labels that come when they come, beside references that get every label at once and know what the simulator hides",
      )
        .choices(DATA_SETS)
        .default("handbook"),
    )
    .option("--all-weeks", "eight test weeks instead of the official one: weeks differ by luck", false)
    .option(
      "--customers <n>",
      "only the first so many customers: a quick look at whether stream and data set agree, of which the quality says nothing",
      wholeNumber(1, HANDBOOK_CUSTOMERS),
      HANDBOOK_CUSTOMERS,
    )
    .option(
      "--days <n>",
      "only so many days from the first (default: until the last test week)",
      wholeNumber(1, HANDBOOK_DAYS),
    )
    .option("--draws <n>", "of the bootstrap that gives the intervals", wholeNumber(10, 100_000), 1000)
    .option("--seed <n>", "of the bootstrap's random numbers", wholeNumber(0, 2 ** 31 - 1), 7)
    .option("--cost-look <cents>", "what an analyst's look at a transaction costs", wholeNumber(1, 1_000_000), 300)
    .option("--cost-stopped <cents>", "what a good customer costs who is stopped", wholeNumber(1, 1_000_000), 1_000)
    .option("--looks <n>", "how many transactions a day analysts have time for", wholeNumber(1, 100_000), 50)
    .exitOverride();
  program.parse(argv, { from: "user" });
  const options = program.opts<Options>();
  const { signal } = interrupted();
  try {
    return await evaluate(options, signal);
  } catch (error) {
    if (signal.aborted) return INTERRUPTED;
    throw error;
  }
}

async function evaluate(options: Options, signal: AbortSignal): Promise<number> {
  const { batch, dataSet, allWeeks, customers, days, draws, seed } = options;
  const decisionOptions = {
    costs: { lookMinor: options.costLook, stoppedMinor: options.costStopped },
    looksADay: options.looks,
  };
  const asked = allWeeks ? ALL_WEEKS : [OFFICIAL_WEEK];
  const lastDay = days ?? Math.max(...asked.map(lastTestDay)) + 1;
  const weeks = asked.filter((week) => lastTestDay(week) < lastDay);
  const step = stepView();
  const asItIs = days === undefined && customers === HANDBOOK_CUSTOMERS;
  let dataset = { transactions: 0, frauds: 0 };
  const make = async <D extends HandbookDataSet>(name: string, all: () => D): Promise<D> =>
    step(name, async () => {
      await setImmediate();
      const whole = all();
      const needed = batch && asItIs ? whole : subsetOf(whole, { customers, days: lastDay });
      dataset = countsOf(asItIs ? whole : needed);
      return needed;
    });
  const places = dataSet === "places" ? await make("the data set with places", placesDataSet) : undefined;
  const data = places ?? (await make("the Handbook's data set", handbookDataSet));

  async function evaluated(
    name: string,
    detector: BatchDetector,
    scoresOf: (week: EvaluationWeek, scorer: Scorer) => Scored,
  ): Promise<Evaluated> {
    const found: EvaluatedWeek[] = [];
    for (const week of weeks)
      await step(`${name}: test week from ${testFrom(week)}`, async (progress) => {
        await setImmediate();
        signal.throwIfAborted();
        const scorer = scorerOf(data, week, detector);
        const scored = scoresOf(week, scorer);
        const test = testTransactions(data, week);
        progress(`${draws} draws of the bootstrap`);
        await setImmediate();
        found.push({
          ...week,
          testFrom: testFrom(week),
          transactions: scored.frauds.length,
          frauds: scored.frauds.reduce((sum, fraud) => sum + fraud, 0),
          expectedFrauds: scored.scores.reduce((sum, probability) => sum + probability, 0),
          ...qualityOf(scored)(),
          intervals: bootstrapIntervals(scored, { draws, seed }),
          curve: curveOf(scored),
          calibration: calibrationOf(scored),
          scenarios: qualityByScenario(scored, (place) => data.scenarios[test[place]!]!),
          decided: decisionsIn(data, week, scored, scorer, decisionOptions),
        });
      });
    return evaluatedOf(name, found);
  }
  const inBatch = (detector: BatchDetector): Promise<Evaluated> =>
    evaluated(detector.name, detector, (week, scorer) => scoreWeek(data, week, scorer));

  const [yardstick, trees] = places === undefined ? [HANDBOOK_YARDSTICK, TREES] : [PLACES_YARDSTICK, PLACES_TREES];
  const streamed = batch ? undefined : await evaluateStream(data, { yardstick, step, weeks, signal });
  const detected =
    streamed === undefined
      ? await inBatch(trees)
      : await evaluated(`${trees.name}, streamed`, trees, (week) =>
          scoredOf(data, testTransactions(data, week), (at) =>
            probabilityOf(streamed.outcome.margins[at]! * LEAF_UNIT),
          ),
        );
  const baseline = await inBatch(HANDBOOK_BASELINE);
  const report =
    places === undefined
      ? evaluationReport(dataset, baseline, detected, { streamed, published: PUBLISHED, bayes: BAYES_REFERENCE })
      : evaluationReport(dataset, baseline, detected, {
          streamed,
          references: [await inBatch(PLACES_TREES_AT_ONCE), await inBatch(placesReference(places))],
          cents: await step("what the cents give away", async () => {
            await setImmediate();
            return { here: centsGiveAway(data), handbook: centsGiveAway(handbookDataSet()) };
          }),
        });
  writeJsonReport(`${REPORT}.json`, report);
  writePage(`${REPORT}.html`, "How well frauds are found", pageOf(report));
  console.log(`\n${reportText(report)}\n\nreport: ${REPORT}.html`);
  return isGood(report) ? 0 : 1;
}
