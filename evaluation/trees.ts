import { z } from "zod";

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

/** What leaves of a model file count: millionths of the logarithm of the odds. */
export const LEAF_UNIT = 1e-6;

const treeSchema = z
  .strictObject({
    feature: z.array(z.int().min(0)),
    threshold: z.array(z.int()),
    left: z.array(z.int()),
    right: z.array(z.int()),
    leaf: z.array(z.int()).min(1),
  })
  .refine(
    ({ feature, threshold, left, right, leaf }) =>
      [threshold, left, right].every(({ length }) => length === feature.length) && leaf.length === feature.length + 1,
    "a tree has a threshold and two ways for each split, and a leaf more than splits",
  )
  .refine(({ left, right, leaf }) => {
    // Each split leads to later ones only, so no way goes round in a circle.
    const leads = (to: number, from: number): boolean =>
      to < 0 ? -1 - to < leaf.length : to > from && to < left.length;
    return left.every(leads) && right.every(leads);
  }, "a split leads to a later split or a leaf of its tree");

const treesFileSchema = z
  .strictObject({
    id: z.string().min(1),
    kind: z.literal("trees"),
    description: z.string(),
    /** By what each split's number means. */
    features: z.array(z.string()).min(1),
    /** What it was trained on: days of the data set, from 0, both included. */
    trainedOn: z.strictObject({ firstDay: z.int().min(0), lastDay: z.int().min(0) }),
    /** By which it was trained. */
    training: z.record(z.string(), z.unknown()),
    trees: z.array(treeSchema).min(1),
  })
  .refine(
    ({ features, trees }) => trees.every(({ feature }) => feature.every((one) => one < features.length)),
    "a split names a feature that is listed",
  );

/** A model file of boosted trees: `models/README.md` describes it. */
export type TreesFile = z.infer<typeof treesFileSchema>;

/**
 * Reads a model file of trees.
 *
 * @throws Error that names the field and the rule it breaks
 */
export function parseTrees(text: string): TreesFile {
  const result = treesFileSchema.safeParse(JSON.parse(text));
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

/**
 * Trees for a model file: thresholds rounded down, which changes nothing for features that are whole numbers, and
 * leaves in {@link LEAF_UNIT}.
 */
export const quantised = (trees: readonly Tree[]): Tree[] =>
  trees.map(({ threshold, leaf, ...rest }) => ({
    ...rest,
    threshold: threshold.map((value) => Math.floor(value)),
    // Not −0, which JSON does not have.
    leaf: leaf.map((value) => Math.round(value / LEAF_UNIT) + 0),
  }));

/** The probability that the log odds mean. */
export const probabilityOf = (logOdds: number): number => 1 / (1 + Math.exp(-logOdds));
