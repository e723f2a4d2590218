import { setImmediate } from "node:timers/promises";

import { Command } from "commander";

import { handbookDataSet } from "../ingress-generator/handbook/data-set.js";
import { writeJsonReport } from "../terminal/json-report.js";
import { wholeNumber } from "../terminal/option-values.js";
import { stepView } from "../terminal/step-view.js";
import { UserError } from "../terminal/user-error.js";
import { type BatchDetector, HANDBOOK_BASELINE, scoreWeek } from "./batch/score-week.js";
import { TREES } from "./batch/trees-of-week.js";
import { bootstrapIntervals } from "./metrics/bootstrap.js";
import { qualityOf } from "./metrics/quality.js";
import { type Evaluated, evaluatedOf, type EvaluatedWeek, evaluationReport, reportText, testFrom } from "./report.js";
import { ALL_WEEKS, OFFICIAL_WEEK } from "./weeks.js";

const REPORT = "reports/evaluate.json";

interface Options {
  readonly batch: boolean;
  readonly allWeeks: boolean;
  readonly draws: number;
  readonly seed: number;
}

/** `npm run evaluate`: how well frauds are found on the Handbook's data set. @returns the exit code */
export async function main(argv: string[]): Promise<number> {
  const program = new Command("npm run evaluate --")
    .description(
      "Says how well frauds are found on the Fraud Detection Handbook's data set, beside what others have published. Writes reports/evaluate.json.",
    )
    .option(
      "--batch",
      "computed from the data set itself, without a cluster: the Handbook's baseline (15 features, logistic regression), and the trees of models/handbook",
      false,
    )
    .option("--all-weeks", "eight test weeks instead of the official one: weeks differ by luck", false)
    .option("--draws <n>", "of the bootstrap that gives the intervals", wholeNumber(10, 100_000), 1000)
    .option("--seed <n>", "of the bootstrap's random numbers", wholeNumber(0, 2 ** 31 - 1), 7)
    .exitOverride();
  program.parse(argv, { from: "user" });
  const { batch, allWeeks, draws, seed } = program.opts<Options>();
  if (!batch) throw new UserError("so far only the batch computation can be evaluated: npm run evaluate -- --batch");
  const step = stepView();
  const data = await step("the Handbook's data set", async () => {
    await setImmediate();
    return handbookDataSet();
  });
  const evaluate = async (detector: BatchDetector): Promise<Evaluated> => {
    const weeks: EvaluatedWeek[] = [];
    for (const week of allWeeks ? ALL_WEEKS : [OFFICIAL_WEEK])
      await step(`${detector.name}: test week from ${testFrom(week)}`, async (progress) => {
        await setImmediate();
        const scored = scoreWeek(data, week, detector);
        progress(`${draws} draws of the bootstrap`);
        await setImmediate();
        weeks.push({
          ...week,
          testFrom: testFrom(week),
          transactions: scored.frauds.length,
          frauds: scored.frauds.reduce((sum, fraud) => sum + fraud, 0),
          expectedFrauds: scored.scores.reduce((sum, probability) => sum + probability, 0),
          ...qualityOf(scored)(),
          intervals: bootstrapIntervals(scored, { draws, seed }),
        });
      });
    return evaluatedOf(detector.name, weeks);
  };
  const report = evaluationReport(data, await evaluate(HANDBOOK_BASELINE), await evaluate(TREES));
  writeJsonReport(REPORT, report);
  console.log(`\n${reportText(report)}\n\nreport: ${REPORT}`);
  return 0;
}
