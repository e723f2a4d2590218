import type { FeatureName } from "../../functions/transaction-scorer/feature-vector.js";
import type { HandbookDataSet } from "../../ingress-generator/handbook/data-set.js";
import type { FeatureMatrix } from "../batch/features.js";
import { LEARNED_FEATURES, learnedFeatures } from "../batch/learned-features.js";
import { OTHER_FEATURES, otherFeatures } from "../batch/other-features.js";
import { NONE, PLACES_FEATURES, placesFeatures } from "../batch/place-features.js";
import { placesTreesFileOf } from "../batch/places-trees.js";
import { treesFileOf } from "../batch/trees-of-week.js";
import { ALL_WEEKS, type EvaluationWeek, type Range } from "../weeks.js";

/** More than any customer has in 30 days, or any terminal in 37. */
const EVENTS = 256;
/** As many of its last transactions as the batch remembers terminals of. */
const KNOWN_MERCHANTS = 256;

/** What is streamed and compared of a data set, and by which models. */
export interface Yardstick {
  /** Of the features that are compared, in the order of the columns: first those that the trees ask for. */
  readonly names: readonly FeatureName[];
  /** What the batch has where the running functions know no value. */
  readonly unknown: number;
  /** The same features of a stretch of transactions, computed from the data set itself. */
  readonly batch: (data: HandbookDataSet, range: Range) => FeatureMatrix;
  /** `FRAUD_SETTINGS` of the functions. */
  readonly settings: object;
  /** Each checkpoint writes all state, which is some 50 MB of features; what is waited for waits for one. */
  readonly checkpointIntervalMs: number;
  /** The model file of a week. */
  readonly treesOf: (week: EvaluationWeek) => string;
}

/** Those that trees ask for, and then all others that the functions learn. */
function andOthers(names: readonly FeatureName[], batch: Yardstick["batch"]): Pick<Yardstick, "names" | "batch"> {
  const others = OTHER_FEATURES.filter((name) => !names.includes(name));
  const columns = names.length + others.length;
  return {
    names: [...names, ...others],
    batch(data, range) {
      const [asked, more] = [batch(data, range), otherFeatures(data, range)];
      const values = new Float64Array((range.to - range.from) * columns);
      for (let row = 0; row < range.to - range.from; row++) {
        values.set(asked.values.subarray(row * asked.columns, (row + 1) * asked.columns), row * columns);
        for (const [n, name] of others.entries())
          values[row * columns + names.length + n] = more.values[row * more.columns + OTHER_FEATURES.indexOf(name)]!;
      }
      return { columns, first: range.from, values };
    },
  };
}

/** The Handbook's data set. All of its features are always known. */
export const HANDBOOK_YARDSTICK: Yardstick = {
  ...andOthers(LEARNED_FEATURES, learnedFeatures),
  unknown: NaN,
  settings: { learned: { events: EVENTS } },
  // Nobody waits for a single decision.
  checkpointIntervalMs: 5_000,
  treesOf: treesFileOf,
};

/** The data set with places. */
export const PLACES_YARDSTICK: Yardstick = {
  ...andOthers(PLACES_FEATURES, placesFeatures),
  unknown: NONE,
  settings: { account: { knownMerchants: KNOWN_MERCHANTS }, learned: { events: EVENTS, places: true } },
  // Labels count from the next midnight on: each day waits for the decisions of the one before, then for its labels.
  checkpointIntervalMs: 2_000,
  treesOf: (week) => placesTreesFileOf(week),
};

/** What the cluster that evaluates needs of its servers' environment. */
export const evaluationEnv = ({ settings, treesOf }: Yardstick): Readonly<Record<string, string>> => ({
  FRAUD_SETTINGS: JSON.stringify(settings),
  FRAUD_MODEL: ALL_WEEKS.map((week) => treesOf(week)).join(","),
});
