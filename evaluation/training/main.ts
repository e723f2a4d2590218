import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { setImmediate } from "node:timers/promises";

import { Command, Option } from "commander";

import { handbookDataSet } from "../../ingress-generator/handbook/data-set.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { wholeNumber } from "../../terminal/option-values.js";
import { stepView } from "../../terminal/step-view.js";
import { UserError } from "../../terminal/user-error.js";
import { ensurePythonPackages } from "../../tools/index.js";
import { learnedFeatures } from "../batch/learned-features.js";
import { treesFileOf } from "../batch/trees-of-week.js";
import { testFrom } from "../report.js";
import { ALL_WEEKS, transactionsOf } from "../weeks.js";
import { trainedDays, trainTrees } from "./train-trees.js";

/** `npm run train`: the learned models, anew. @returns the exit code */
export async function main(argv: string[]): Promise<number> {
  const program = new Command("npm run train --")
    .description(
      "Trains boosted trees on the Fraud Detection Handbook's data set, for each evaluated week on the 92 days before, and writes them to models/handbook. LightGBM does it, in Python, with the packages that models/train/requirements.txt pins.",
    )
    .addOption(
      new Option("--week <day>", "only for the week whose training week begins on this day, counted from 0").choices(
        ALL_WEEKS.map(({ firstDay }) => String(firstDay)),
      ),
    )
    .option("--seed <n>", "of the random numbers", wholeNumber(0, 2 ** 31 - 1), 1)
    .exitOverride();
  program.parse(argv, { from: "user" });
  const { seed, week: only } = program.opts<{ seed: number; week?: string }>();
  const weeks = ALL_WEEKS.filter(({ firstDay }) => only === undefined || String(firstDay) === only);
  const step = stepView();
  const python = await step("LightGBM", (progress) =>
    ensurePythonPackages(resolve(REPOSITORY_ROOT, "models/train/requirements.txt"), progress),
  );
  if ("missing" in python) throw new UserError(`training needs ${python.missing}`, { code: "tool-missing" });
  const data = await step("the Handbook's data set", async () => {
    await setImmediate();
    return handbookDataSet();
  });
  const features = await step("features", async () => {
    await setImmediate();
    const days = weeks.map(trainedDays);
    return learnedFeatures(data, transactionsOf(data, { from: days[0]!.from, to: days.at(-1)!.to }));
  });
  for (const week of weeks)
    await step(`trees for the test week from ${testFrom(week)}`, async () => {
      const { file, difference, quantisedDifference } = await trainTrees({ data, week, features, seed, python });
      writeFileSync(treesFileOf(week), `${JSON.stringify(file)}\n`);
      console.log(
        `${file.id}: ${file.trees.length} trees; probabilities off LightGBM's by ${difference.toExponential(1)} at most, as written by ${quantisedDifference.toExponential(1)}`,
      );
    });
  return 0;
}
