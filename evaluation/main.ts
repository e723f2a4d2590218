import { setImmediate } from "node:timers/promises";

import { Command } from "commander";

import { handbookDataSet } from "../ingress-generator/handbook/data-set.js";
import { writeJsonReport } from "../terminal/json-report.js";
import { wholeNumber } from "../terminal/option-values.js";
import { stepView } from "../terminal/step-view.js";
import { UserError } from "../terminal/user-error.js";
import { HANDBOOK_BASELINE, scoreWeek } from "./batch/score-week.js";
import { bootstrapIntervals } from "./metrics/bootstrap.js";
import { qualityOf } from "./metrics/quality.js";
import { type EvaluatedWeek, evaluationReport, reportText, testFrom, weeksOf } from "./report.js";

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
      "the Handbook's baseline, computed from the data set itself, without a cluster: its 15 features and logistic regression",
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
  const evaluated: EvaluatedWeek[] = [];
  for (const week of weeksOf(allWeeks)) {
    const result = await step(`test week from ${testFrom(week)}`, async (progress) => {
      progress("features and training");
      await setImmediate();
      const scored = scoreWeek(data, week, HANDBOOK_BASELINE);
      progress(`${draws} draws of the bootstrap`);
      await setImmediate();
      return {
        ...week,
        testFrom: testFrom(week),
        transactions: scored.frauds.length,
        frauds: scored.frauds.reduce((sum, fraud) => sum + fraud, 0),
        ...qualityOf(scored)(),
        intervals: bootstrapIntervals(scored, { draws, seed }),
      };
    });
    evaluated.push(result);
  }
  const report = evaluationReport(HANDBOOK_BASELINE.name, data, evaluated);
  writeJsonReport(REPORT, report);
  console.log(`\n${reportText(report)}\n\nreport: ${REPORT}`);
  return 0;
}
