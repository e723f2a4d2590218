import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { setImmediate } from "node:timers/promises";

import { Command, Option } from "commander";

import type { TreesModel } from "../../functions/transaction-scorer/trees.js";
import { placesDataSet } from "../../ingress-generator/handbook-places/data-set.js";
import { handbookDataSet } from "../../ingress-generator/handbook/data-set.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { wholeNumber } from "../../terminal/option-values.js";
import { stepView } from "../../terminal/step-view.js";
import { UserError } from "../../terminal/user-error.js";
import { ensurePythonPackages } from "../../tools/index.js";
import { LEARNED_FEATURES, learnedFeatures } from "../batch/learned-features.js";
import { NONE, PLACES_FEATURES } from "../batch/place-features.js";
import { placesFeaturesBy, type PlacesLabels, placesTreesFileOf, withLabelsAtOnce } from "../batch/places-trees.js";
import { treesFileOf } from "../batch/trees-of-week.js";
import { testFrom } from "../report.js";
import { ALL_WEEKS, type EvaluationWeek, transactionsOf } from "../weeks.js";
import { finishedModel, type ModelHead } from "./finished-model.js";
import { trainedDays, trainTrees } from "./train-trees.js";

interface Options {
  readonly seed: number;
  readonly tables: boolean;
  readonly week?: string;
  readonly dataSet: (typeof DATA_SETS)[number];
  readonly labelsAtOnce: boolean;
}

const DATA_SETS = ["handbook", "places"] as const;

/** `npm run train`: the learned models, anew. @returns the exit code */
export async function main(argv: string[]): Promise<number> {
  const program = new Command("npm run train --")
    .description(
      "Trains boosted trees on the Fraud Detection Handbook's data set, for each evaluated week on the 92 days before, and writes them to models/handbook. LightGBM does it, in Python, with the packages that models/train/requirements.txt pins.",
    )
    .addOption(
      new Option(
        "--data-set <name>",
        "handbook, or places: the second data set, whose trees are for the evaluation alone, in evaluation/trees-of-places",
      )
        .choices(DATA_SETS)
        .default("handbook"),
    )
    .addOption(
      new Option("--week <day>", "only for the week whose training week begins on this day, counted from 0").choices(
        ALL_WEEKS.map(({ firstDay }) => String(firstDay)),
      ),
    )
    .option(
      "--tables",
      "leaves the trees as they are, and makes anew what else a model file has: tables, thresholds, an ordinary transaction, the reference of its main features",
      false,
    )
    .option("--labels-at-once", "with --data-set places: the reference's, which gets every label at once", false)
    .option("--seed <n>", "of the random numbers", wholeNumber(0, 2 ** 31 - 1), 1)
    .exitOverride();
  program.parse(argv, { from: "user" });
  const { seed, tables, week: only, dataSet, labelsAtOnce } = program.opts<Options>();
  const places = dataSet === "places";
  if (labelsAtOnce && !places) throw new UserError("--labels-at-once is for --data-set places.");
  const labels: PlacesLabels = labelsAtOnce ? "at once" : "as they come";
  const weeks = ALL_WEEKS.filter(({ firstDay }) => only === undefined || String(firstDay) === only);
  const step = stepView();
  const python = tables
    ? undefined
    : await step("LightGBM", (progress) =>
        ensurePythonPackages(resolve(REPOSITORY_ROOT, "models/train/requirements.txt"), progress),
      );
  if (python !== undefined && "missing" in python)
    throw new UserError(`training needs ${python.missing}`, { code: "tool-missing" });
  const data = await step(places ? "the data set with places" : "the Handbook's data set", async () => {
    await setImmediate();
    if (!places) return handbookDataSet();
    return labelsAtOnce ? withLabelsAtOnce(placesDataSet()) : placesDataSet();
  });
  const features = await step("features", async () => {
    await setImmediate();
    const days = weeks.map(trainedDays);
    return (places ? placesFeaturesBy(labels) : learnedFeatures)(
      data,
      transactionsOf(data, { from: days[0]!.from, to: days.at(-1)!.to }),
    );
  });
  const names = places ? PLACES_FEATURES : LEARNED_FEATURES;
  for (const week of weeks) {
    const head = places ? placesHead(week, labels) : handbookHead(week);
    const file = places ? placesTreesFileOf(week, labels) : treesFileOf(week);
    const write = (of: Pick<ModelHead, "trees" | "training" | "trainedOn">): void => {
      const model = finishedModel({ ...head, ...of }, { data, week, features });
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `${JSON.stringify(model)}\n`);
    };
    if (python === undefined) {
      await step(`tables for the test week from ${testFrom(week)}`, async () => {
        await setImmediate();
        const { trees, training, trainedOn } = JSON.parse(readFileSync(file, "utf8")) as TreesModel;
        write({ trees, training, trainedOn });
      });
      continue;
    }
    await step(`trees for the test week from ${testFrom(week)}`, async () => {
      const { trees, training, trainedOn, difference, quantisedDifference, swap } = await trainTrees({
        data,
        week,
        features,
        names,
        seed,
        python,
      });
      write({ trees, training: { ...training }, trainedOn });
      console.log(
        `day ${week.firstDay}: ${trees.length} trees; probabilities off LightGBM's by ${difference.toExponential(1)} at most, as written by ${quantisedDifference.toExponential(1)}; the same order but of what is ${swap.toExponential(1)} of log odds apart at most`,
      );
    });
  }
  return 0;
}

type Head = Pick<ModelHead, "id" | "description" | "features" | "unknown">;

const handbookHead = ({ firstDay }: EvaluationWeek): Head => ({
  id: `handbook-day-${firstDay}`,
  description: `Boosted trees on the Handbook's data set, for its test week that follows the training week from day ${firstDay}.`,
  features: [...LEARNED_FEATURES],
  unknown: undefined,
});

const placesHead = ({ firstDay }: EvaluationWeek, labels: PlacesLabels): Head => ({
  id: `places-day-${firstDay}${labels === "at once" ? "-labels-at-once" : ""}`,
  description: `Boosted trees on the data set with places${labels === "at once" ? ", with every label at once" : ""}, for its test week that follows the training week from day ${firstDay}.`,
  features: [...PLACES_FEATURES],
  unknown: NONE,
});
