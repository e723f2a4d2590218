import {
  type FeatureBands,
  LEAF_UNIT,
  MAX_PPM,
  MAX_SCORE,
  type Table,
  type Tree,
  valueAt,
} from "../../functions/transaction-scorer/trees.js";
import { probabilityOf } from "../log-odds.js";

/*
 * What a model file has besides its trees. All of it comes from a reference: the transactions of the week that the
 * training ends with, whose labels are known when the test begins.
 */

/** Distance and extent of the calibration's knots: lines between them are off the logistic curve by 3 · 10⁻⁵. */
const STEP_E6 = 50_000;
const EXTENT_E6 = 14_000_000;
/** Score 200 is reached by one in 10 of the reference, 400 by one in 100, and so on. */
const POINTS_PER_TENTH = 200;
/** Whose spread is kept, at most, and in how many bands. */
const MAIN_FEATURES = 8;
/** What counts from the beginning grows with time, whatever happens: two weeks later it would be beyond .1. */
const GROWING: ReadonlySet<string> = new Set(["account.genuine_count"]);
const BANDS = 10;
/** Between two knots of the score. */
const KNOT_POINTS = 5;

/** What decisions cost, in minor units of the currency, and how many transactions a day people can look at. */
export interface Costs {
  readonly lookMinor: number;
  /** A good customer is declined. */
  readonly stoppedMinor: number;
  /** A fraud is approved. */
  readonly fraudMinor: number;
  readonly looksPerDay: number;
}

/** Scores from which on a transaction is reviewed and declined, and what they were chosen by. */
export interface Thresholds {
  readonly reviewAt: number;
  readonly declineAt: number;
  readonly thresholds: Costs & {
    /** The probabilities, in millionths, from which on a look, and a decline without one, cost less than they save. */
    readonly reviewFromPpm: number;
    readonly declineFromPpm: number;
    /** Whether it is the number of looks that limits reviews. */
    readonly limitedByLooks: boolean;
  };
}

/**
 * Trees for a model file: thresholds rounded down, which changes nothing for features that are whole numbers, and
 * leaves in {@link LEAF_UNIT}.
 */
export const quantised = (trees: readonly Tree[]): Tree[] =>
  trees.map(({ feature, threshold, left, right, leaf }) => ({
    feature,
    threshold: threshold.map((value) => Math.floor(value)),
    left,
    right,
    leaf: leaf.map((value) => whole(value / LEAF_UNIT)),
  }));

/** The values of an ordinary transaction: each feature's median. */
export function mediansOf(rows: readonly Float64Array[]): number[] {
  return Array.from({ length: rows[0]!.length }, (_, column) => {
    const rising = Float64Array.from(rows, (row) => row[column]!).sort();
    return rising[(rising.length - 1) >> 1]!;
  });
}

/**
 * The features that the trees ask for most often; of equally many the first. Those that drift by themselves are left
 * out.
 */
export function mainFeatures(trees: readonly Tree[], features: readonly string[]): number[] {
  const splits = features.map(() => 0);
  for (const { feature } of trees) for (const one of feature) splits[one]!++;
  return [...splits.keys()]
    .filter((n) => !GROWING.has(features[n]!))
    .sort((a, b) => splits[b]! - splits[a]! || a - b)
    .slice(0, MAIN_FEATURES);
}

/**
 * How values are spread: in bands of about a tenth each, fewer where many values are the same; the shares are what is
 * really in them.
 *
 * @returns `undefined` where all values are the same
 */
export function bandsOf(values: Float64Array): Pick<FeatureBands, "bounds" | "ppm"> | undefined {
  const rising = values.toSorted();
  const tenths = Array.from({ length: BANDS - 1 }, (_, n) => rising[Math.floor(((n + 1) * rising.length) / BANDS)]!);
  const bounds = [...new Set(tenths)].filter((bound) => bound > rising[0]!);
  // What is almost always the same: that, and all else.
  if (bounds.length === 0 && rising.at(-1)! > rising[0]!) bounds.push(rising.find((value) => value > rising[0]!)!);
  if (bounds.length === 0) return undefined;
  const starts = [0, ...bounds.map((bound) => rising.findIndex((value) => value >= bound)), rising.length];
  // Rounded where they end, so that they add up.
  const ends = starts.map((start) => Math.round((start * MAX_PPM) / rising.length));
  return { bounds, ppm: ends.slice(1).map((end, n) => end - ends[n]!) };
}

/** From margins to probabilities in millionths: the logistic curve. */
export function logisticTable(): Table {
  const margins = Array.from({ length: (2 * EXTENT_E6) / STEP_E6 + 1 }, (_, n) => n * STEP_E6 - EXTENT_E6);
  return { margins, values: margins.map((margin) => Math.round(probabilityOf(margin * LEAF_UNIT) * MAX_PPM)) };
}

/**
 * From margins to scores: of what share of the reference has at least this margin, the logarithm. What is beyond the
 * reference goes up to 1000 at the most that the trees can say.
 */
export function scoreTable(reference: readonly number[], most: number): Table {
  const rising = Float64Array.from(reference).sort();
  const margins: number[] = [];
  const values: number[] = [];
  for (const [below, margin] of rising.entries()) {
    if (below > 0 && margin === rising[below - 1]) continue;
    const value = whole(POINTS_PER_TENTH * Math.log10(rising.length / (rising.length - below)));
    if (values.length > 0 && value < values.at(-1)! + KNOT_POINTS) continue;
    if (value >= MAX_SCORE) break;
    margins.push(margin);
    values.push(value);
  }
  const end = Math.max(most, margins.at(-1)! + 1);
  return { margins: [...margins, end], values: [...values, MAX_SCORE] };
}

/** The most that trees can say. */
export const mostOf = (trees: readonly Tree[]): number => trees.reduce((sum, { leaf }) => sum + Math.max(...leaf), 0);

const whole = (value: number): number => Math.round(value) + 0;

/**
 * The cheapest decisions: a look pays from where the frauds that it prevents are worth more than it costs, a decline
 * without one from where the good customers that it stops cost less. Of the reference no more are reviewed than can be
 * looked at.
 *
 * @param reference - margins of so many days
 */
export function thresholdsOf(
  { probability, score }: { readonly probability: Table; readonly score: Table },
  reference: readonly number[],
  days: number,
  costs: Costs,
): Thresholds {
  const reviewFromPpm = Math.ceil((MAX_PPM * costs.lookMinor) / costs.fraudMinor);
  const declineFromPpm = Math.ceil(MAX_PPM * (1 - costs.lookMinor / costs.stoppedMinor));
  const declineAt = leastScore(probability, score, declineFromPpm);
  const pays = Math.min(leastScore(probability, score, reviewFromPpm), declineAt);
  const looks = reference
    .map((margin) => valueAt(score, margin))
    .filter((value) => value >= pays && value < declineAt)
    .sort((a, b) => b - a);
  // The first that nobody has time for: what scores as high is not looked at either.
  const beyond = looks[costs.looksPerDay * days];
  const reviewAt = beyond === undefined ? pays : Math.min(beyond + 1, declineAt);
  return {
    reviewAt,
    declineAt,
    thresholds: { ...costs, reviewFromPpm, declineFromPpm, limitedByLooks: beyond !== undefined },
  };
}

/** The least score whose every margin is at least that probable. */
function leastScore(probability: Table, score: Table, ppm: number): number {
  let low = score.margins[0]!;
  let high = score.margins.at(-1)!;
  // The least margin that is so probable; at the end there may be none.
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (valueAt(probability, middle) >= ppm) high = middle;
    else low = middle + 1;
  }
  return Math.max(1, Math.min(MAX_SCORE, valueAt(score, low - 1) + 1));
}
