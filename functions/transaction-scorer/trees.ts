import { z } from "zod";

import { FEATURE_NAMES } from "./feature-vector.js";

/**
 * A tree as LightGBM numbers it: split n takes `left[n]` when the value of its feature is at most its threshold, else
 * `right[n]`; from 0 on that is another split, below it leaf number −1 − it. A tree without splits is its only leaf.
 */
export interface Tree {
  readonly feature: readonly number[];
  readonly threshold: readonly number[];
  readonly left: readonly number[];
  readonly right: readonly number[];
  readonly leaf: readonly number[];
}

/** A function of whole numbers that never falls: straight between its knots, level beyond the first and the last. */
export interface Table {
  /** Rising. */
  readonly margins: readonly number[];
  readonly values: readonly number[];
}

/** What leaves of a model file count: millionths of the logarithm of the odds. */
export const LEAF_UNIT = 1e-6;
/** Certainty, in millionths. */
export const MAX_PPM = 1_000_000;
export const MAX_SCORE = 1000;
/** Of one leaf, and of a sum of leaves: far beyond any odds, and small enough for exact products. */
const MAX_LEAF = 1e9;

/** Of a feature's bands: metrics have a series for each. */
const MAX_BOUNDS = 19;

/** Of one tree: more would need another {@link SHARE}. */
const MAX_TREE_FEATURES = 20;

const millionths = z.int().min(-MAX_LEAF).max(MAX_LEAF);

const treeSchema = z
  .strictObject({
    feature: z.array(z.int().min(0)),
    threshold: z.array(z.int()),
    left: z.array(z.int()),
    right: z.array(z.int()),
    leaf: z.array(millionths).min(1),
  })
  .refine(
    ({ feature, threshold, left, right, leaf }) =>
      [threshold, left, right].every(({ length }) => length === feature.length) && leaf.length === feature.length + 1,
    "a tree has a threshold and two ways for each split, and a leaf more than splits",
  )
  .refine(
    ({ feature }) => new Set(feature).size <= MAX_TREE_FEATURES,
    `a tree asks for ${MAX_TREE_FEATURES} features at most`,
  )
  .refine(({ left, right, leaf }) => {
    // Each split leads to later ones only, so no way goes round in a circle.
    const leads = (to: number, from: number): boolean =>
      to < 0 ? -1 - to < leaf.length : to > from && to < left.length;
    return left.every(leads) && right.every(leads);
  }, "a split leads to a later split or a leaf of its tree");

const tableSchema = (most: number) =>
  z
    .strictObject({ margins: z.array(millionths).min(2), values: z.array(z.int().min(0).max(most)).min(2) })
    .refine(({ margins, values }) => margins.length === values.length, "a table has a value for each margin")
    .refine(
      ({ margins, values }) =>
        margins.every((margin, n) => n === 0 || margin > margins[n - 1]!) &&
        values.every((value, n) => n === 0 || value >= values[n - 1]!),
      "a table's margins rise, and its values never fall",
    );

const bandsSchema = z
  .strictObject({
    feature: z.enum(FEATURE_NAMES),
    /** The least value of each band but the first. */
    bounds: z.array(z.int()).min(1).max(MAX_BOUNDS),
    /** Which share of the reference is in each band, in millionths. */
    ppm: z.array(z.int().min(1).max(MAX_PPM)),
  })
  .refine(({ bounds }) => bounds.every((bound, n) => n === 0 || bound > bounds[n - 1]!), "bounds of bands rise")
  .refine(({ bounds, ppm }) => ppm.length === bounds.length + 1, "there is a band more than bounds")
  .refine(({ ppm }) => ppm.reduce((sum, one) => sum + one, 0) === MAX_PPM, "shares of bands add up to 1,000,000");

/** How one feature is spread in what a model was trained on. */
export type FeatureBands = z.infer<typeof bandsSchema>;

/** Which band a value is in. */
export const bandOf = ({ bounds }: FeatureBands, value: number): number =>
  bounds.filter((bound) => bound <= value).length;

/** What `models/README.md` describes as `kind: "trees"`. */
export const treesModelSchema = z
  .strictObject({
    id: z.string().min(1),
    kind: z.literal("trees"),
    description: z.string(),
    /** By what each split's number means. */
    features: z
      .array(z.enum(FEATURE_NAMES, { error: ({ input }) => `there is no feature ${JSON.stringify(input)}` }))
      .min(1)
      .refine((names) => new Set(names).size === names.length, "a feature is listed once"),
    /** What stands for a feature that is not known; without it, every one must be. */
    unknown: z.int().optional(),
    /** What it was trained on: days of the data set, from 0, both included. */
    trainedOn: z.strictObject({ firstDay: z.int().min(0), lastDay: z.int().min(0) }),
    /** By which it was trained. */
    training: z.record(z.string(), z.unknown()),
    /** Scores from which on a transaction is reviewed or declined. */
    reviewAt: z.int().min(1).max(MAX_SCORE),
    declineAt: z.int().min(1).max(MAX_SCORE),
    /** What the thresholds were chosen by. */
    thresholds: z.record(z.string(), z.unknown()),
    /** What contributions are told against: the values of an ordinary transaction, in the order of the features. */
    ordinary: z.array(z.int()),
    /** How its main features are spread in what it was trained on; what drift is told against. */
    reference: z
      .array(bandsSchema)
      .max(20)
      .refine((all) => new Set(all.map(({ feature }) => feature)).size === all.length, "a feature has its bands once")
      .optional(),
    /** From the margin to the probability, in millionths. */
    probability: tableSchema(MAX_PPM),
    /** From the margin to the score. */
    score: tableSchema(MAX_SCORE),
    trees: z.array(treeSchema).min(1),
  })
  .refine(({ reviewAt, declineAt }) => reviewAt <= declineAt, "declineAt is not below reviewAt")
  .refine(
    ({ features, trees }) => trees.every(({ feature }) => feature.every((one) => one < features.length)),
    "a split names a feature that is listed",
  )
  .refine(({ features, ordinary }) => ordinary.length === features.length, "an ordinary transaction has every feature")
  .refine(
    ({ trees }) =>
      trees.reduce((sum, { leaf }) => sum + Math.max(...leaf.map((value) => Math.abs(value))), 0) <= MAX_LEAF,
    "no sum of leaves is beyond 10⁹ millionths",
  );

/** A model file of boosted trees. */
export type TreesModel = z.infer<typeof treesModelSchema>;

/**
 * Reads a model file of trees.
 *
 * @throws Error that names the field and the rule it breaks
 */
export function parseTrees(text: string): TreesModel {
  const result = treesModelSchema.safeParse(JSON.parse(text));
  if (!result.success) throw new Error(`model: ${z.prettifyError(result.error).replaceAll("\n", " ")}`);
  return result.data;
}

/** The sum of what the trees say: of a model file a whole number of {@link LEAF_UNIT}, of LightGBM's the log odds. */
export function marginOf(trees: readonly Tree[], row: Float64Array): number {
  let margin = 0;
  for (const { feature, threshold, left, right, leaf } of trees) {
    let at = feature.length === 0 ? -1 : 0;
    while (at >= 0) at = row[feature[at]!]! <= threshold[at]! ? left[at]! : right[at]!;
    margin += leaf[-1 - at]!;
  }
  return margin;
}

/** A multiple of every n · (n over k) for n up to {@link MAX_TREE_FEATURES}: the least common multiple of 1 to 20. */
const SHARE = 232_792_560n;

/**
 * How much each feature moved the margin, by Shapley: what changes when its value takes the place of the ordinary one,
 * on average over all orders in which the features could do so. Whole numbers, which add up to the margin less that of
 * the ordinary transaction: rounded down, and what is missing then goes to the largest remainders.
 *
 * @returns in the order of the row
 */
export function contributionsOf(trees: readonly Tree[], row: Float64Array, ordinary: readonly number[]): bigint[] {
  /** In shares of a unit. */
  const sums = ordinary.map(() => 0n);
  for (const { feature, threshold, left, right, leaf } of trees) {
    /** Features whose own value, or whose ordinary one, alone leads here. */
    const own: number[] = [];
    const usual: number[] = [];
    const visit = (at: number): void => {
      if (at < 0) return credit(leaf[-1 - at]!, own, usual, sums);
      const split = feature[at]!;
      const ownWay = row[split]! <= threshold[at]! ? left[at]! : right[at]!;
      const usualWay = ordinary[split]! <= threshold[at]! ? left[at]! : right[at]!;
      if (ownWay === usualWay || own.includes(split)) return visit(ownWay);
      if (usual.includes(split)) return visit(usualWay);
      own.push(split);
      visit(ownWay);
      own.pop();
      usual.push(split);
      visit(usualWay);
      usual.pop();
    };
    visit(feature.length === 0 ? -1 : 0);
  }
  return wholeShares(sums);
}

/** A leaf that is reached when all of `own` have their own values and all of `usual` the ordinary ones. */
function credit(leaf: number, own: readonly number[], usual: readonly number[], sums: bigint[]): void {
  const all = own.length + usual.length;
  for (const [some, sign] of [
    [own, 1n],
    [usual, -1n],
  ] as const)
    for (const one of some) sums[one]! += sign * BigInt(leaf) * SHARES[all]![some.length]!;
}

/** `[n][k]`: {@link SHARE} over k · (n over k). */
const SHARES: readonly (readonly bigint[])[] = Array.from({ length: MAX_TREE_FEATURES + 1 }, (_, n) => {
  let over = 1n;
  return Array.from({ length: n + 1 }, (_, k) => {
    if (k === 0) return 0n;
    over = (over * BigInt(n - k + 1)) / BigInt(k);
    return SHARE / (BigInt(k) * over);
  });
});

/** The sums of shares add up to whole units; each of them need not be one. */
function wholeShares(sums: readonly bigint[]): bigint[] {
  const rest = sums.map((sum) => ((sum % SHARE) + SHARE) % SHARE);
  const whole = sums.map((sum, n) => (sum - rest[n]!) / SHARE);
  const missing = Number(rest.reduce((sum, one) => sum + one, 0n) / SHARE);
  const byRest = [...rest.keys()].sort((a, b) => (rest[a] === rest[b] ? a - b : rest[a]! < rest[b]! ? 1 : -1));
  for (const n of byRest.slice(0, missing)) whole[n]! += 1n;
  return whole;
}

/** A table's value at a margin, rounded down between knots. */
export function valueAt({ margins, values }: Table, margin: number): number {
  if (margin <= margins[0]!) return values[0]!;
  let low = 0;
  let high = margins.length - 1;
  if (margin >= margins[high]!) return values[high]!;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (margins[middle]! <= margin) low = middle;
    else high = middle;
  }
  // At most 2 · 10⁹ times 10⁶: exact.
  const product = (values[high]! - values[low]!) * (margin - margins[low]!);
  const width = margins[high]! - margins[low]!;
  return values[low]! + (product - (product % width)) / width;
}
