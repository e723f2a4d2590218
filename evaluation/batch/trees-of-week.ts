import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { LEAF_UNIT, marginOf, parseTrees, type TreesModel } from "../../functions/transaction-scorer/trees.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { probabilityOf } from "../log-odds.js";
import { type EvaluationWeek, WEEK_DAYS } from "../weeks.js";
import { LEARNED_FEATURES, learnedFeatures } from "./learned-features.js";
import type { BatchDetector, Score } from "./score-week.js";

/** Where the trees stand that were trained for a week. */
export const treesFileOf = ({ firstDay }: EvaluationWeek): string =>
  resolve(REPOSITORY_ROOT, `models/handbook/day-${firstDay}.json`);

/** The trees of `models/handbook`, each week's own. */
export const TREES: BatchDetector = {
  name: `boosted trees, ${LEARNED_FEATURES.length} features, 92 days`,
  features: learnedFeatures,
  learned: (_, week) => scoreByTrees(parseTrees(readFileSync(treesFileOf(week), "utf8")), week),
};

/**
 * @param names - the features of a row
 * @throws Error when the trees were trained on others, or on what is not known yet when the week's test begins
 */
export function scoreByTrees(
  { id, trees, features, trainedOn }: TreesModel,
  week: EvaluationWeek,
  names: readonly string[] = LEARNED_FEATURES,
): Score {
  if (trainedOn.lastDay >= week.firstDay + WEEK_DAYS)
    throw new Error(`${id} was trained until day ${trainedOn.lastDay}, whose labels are not known in this test week`);
  if (features.join() !== names.join()) throw new Error(`${id} wants other features: ${features.join()}`);
  return (row) => probabilityOf(marginOf(trees, row) * LEAF_UNIT);
}
