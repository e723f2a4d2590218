import type { HandbookDataSet } from "../../ingress-generator/handbook/data-set.js";
import { marginOf, parseTrees, type Tree, type TreesModel } from "../../functions/transaction-scorer/trees.js";
import { type FeatureMatrix, rowOf } from "../batch/features.js";
import { type EvaluationWeek, trainingTransactions, WEEK_DAYS } from "../weeks.js";
import { bandsOf, logisticTable, mainFeatures, mediansOf, mostOf, scoreTable, thresholdsOf } from "./model-parts.js";

/** Chosen for the example: an analyst's five minutes, a good customer's call to the bank, and a queue of 100 a day. */
const COSTS = { lookMinor: 400, stoppedMinor: 3_000, looksPerDay: 100 };

/** What a model file says of itself and its trees. */
export type ModelHead = Pick<TreesModel, "id" | "description" | "features" | "unknown" | "trainedOn" | "training"> & {
  /** Of whole numbers. */
  readonly trees: readonly Tree[];
};

/**
 * The model file of these trees: its tables, its thresholds and what is ordinary come from the week's training week,
 * which is the last of what the trees were trained on.
 *
 * @param features - of the training week at least
 */
export function finishedModel(
  { trees, ...head }: ModelHead,
  { data, week, features }: { data: HandbookDataSet; week: EvaluationWeek; features: FeatureMatrix },
): TreesModel {
  const { from, to } = trainingTransactions(data, week);
  const all = Array.from({ length: to - from }, (_, n) => from + n);
  const frauds = all.filter((at) => data.scenarios[at] !== 0);
  const genuine = all.filter((at) => data.scenarios[at] === 0);
  const margins = all.map((at) => marginOf(trees, rowOf(features, at)));
  const tables = { probability: logisticTable(), score: scoreTable(margins, mostOf(trees)) };
  const fraudMinor = Math.round(frauds.reduce((sum, at) => sum + data.amountsMinor[at]!, 0) / frauds.length);
  return parseTrees(
    JSON.stringify({
      id: head.id,
      kind: "trees",
      description: head.description,
      features: head.features,
      unknown: head.unknown,
      trainedOn: head.trainedOn,
      training: head.training,
      ...thresholdsOf(tables, margins, WEEK_DAYS, { ...COSTS, fraudMinor }),
      ordinary: mediansOf(genuine.map((at) => rowOf(features, at))),
      reference: mainFeatures(trees, head.features).flatMap((column) => {
        const bands = bandsOf(Float64Array.from(all, (at) => rowOf(features, at)[column]!));
        return bands === undefined ? [] : [{ feature: head.features[column], ...bands }];
      }),
      ...tables,
      trees,
    }),
  );
}
