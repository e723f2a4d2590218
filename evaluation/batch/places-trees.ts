import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { parseTrees } from "../../functions/transaction-scorer/trees.js";
import { DAY_SECONDS, type HandbookDataSet, NEVER_LABELLED } from "../../ingress-generator/handbook/data-set.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import type { EvaluationWeek, Range } from "../weeks.js";
import { PLACES_FEATURES, placesFeatures } from "./place-features.js";
import type { BatchDetector } from "./score-week.js";
import { scoreByTrees } from "./trees-of-week.js";

const AT_ONCE_SECONDS = 1;

/** Which labels are there: those that have come, or every one at once. */
export type PlacesLabels = "as they come" | "at once";

/** Where the trees stand that were trained for a week of the data set with places. */
export const placesTreesFileOf = ({ firstDay }: EvaluationWeek, labels: PlacesLabels = "as they come"): string =>
  resolve(
    REPOSITORY_ROOT,
    `evaluation/trees-of-places/day-${firstDay}${labels === "at once" ? "-labels-at-once" : ""}.json`,
  );

/** The same data set when each fraud is known for fraud a second later. */
export const withLabelsAtOnce = <D extends HandbookDataSet>(data: D): D => ({
  ...data,
  labelledAt: data.seconds.map((second, at) => (data.scenarios[at] === 0 ? NEVER_LABELLED : second + AT_ONCE_SECONDS)),
});

/** What features are made of in each case: what is no fraud is known just as soon. */
export const placesFeaturesBy = (labels: PlacesLabels) => (data: HandbookDataSet, transactions: Range) =>
  labels === "at once"
    ? placesFeatures(withLabelsAtOnce(data), transactions, AT_ONCE_SECONDS / DAY_SECONDS)
    : placesFeatures(data, transactions);

const detector = (name: string, labels: PlacesLabels): BatchDetector => ({
  name,
  features: placesFeaturesBy(labels),
  learned: (_, week) =>
    scoreByTrees(parseTrees(readFileSync(placesTreesFileOf(week, labels), "utf8")), week, PLACES_FEATURES),
});

/** The trees of `evaluation/trees-of-places`, each week's own. */
export const PLACES_TREES = detector(`boosted trees, ${PLACES_FEATURES.length} features, 92 days`, "as they come");
/** The same by somebody who gets every label at once. */
export const PLACES_TREES_AT_ONCE = detector("reference: such trees, every label at once", "at once");
