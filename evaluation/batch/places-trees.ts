import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { z } from "zod";

import { LEAF_UNIT, marginOf, type Tree, treesModelSchema } from "../../functions/transaction-scorer/trees.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { probabilityOf } from "../log-odds.js";
import { type EvaluationWeek, WEEK_DAYS } from "../weeks.js";
import { PLACES_FEATURES, placesFeatures } from "./place-features.js";
import type { BatchDetector, Score } from "./score-week.js";

/** What of a model file the evaluation needs; features that the running functions have not are allowed. */
const placesTreesSchema = z.strictObject({
  features: z.array(z.string()),
  trainedOn: treesModelSchema.shape.trainedOn,
  training: treesModelSchema.shape.training,
  trees: treesModelSchema.shape.trees,
});

/** A file of trees. */
export interface PlacesTrees {
  readonly features: readonly string[];
  readonly trainedOn: { readonly firstDay: number; readonly lastDay: number };
  readonly training: Readonly<Record<string, unknown>>;
  readonly trees: readonly Tree[];
}

/** Where the trees stand that were trained for a week of the data set with places. */
export const placesTreesFileOf = ({ firstDay }: EvaluationWeek): string =>
  resolve(REPOSITORY_ROOT, `evaluation/trees-of-places/day-${firstDay}.json`);

/** The trees of `evaluation/trees-of-places`, each week's own. */
export const PLACES_TREES: BatchDetector = {
  name: `boosted trees, ${PLACES_FEATURES.length} features, 92 days`,
  features: placesFeatures,
  learned: (_, week) =>
    scoreByPlacesTrees(placesTreesSchema.parse(JSON.parse(readFileSync(placesTreesFileOf(week), "utf8"))), week),
};

/** @throws Error when the trees were trained on other features, or on days that the week's test may not know */
export function scoreByPlacesTrees({ trees, features, trainedOn }: PlacesTrees, week: EvaluationWeek): Score {
  if (trainedOn.lastDay >= week.firstDay + WEEK_DAYS)
    throw new Error(`trained until day ${trainedOn.lastDay}, which this test week may not know`);
  if (features.join() !== PLACES_FEATURES.join()) throw new Error(`trained on other features: ${features.join()}`);
  return (row) => probabilityOf(marginOf(trees, row) * LEAF_UNIT);
}
