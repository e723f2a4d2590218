import { type Evidence, Outcome } from "../../protos/gen/fraud/v1/decision.js";
import { FEATURE_NAMES, type FeatureName, featureValue, isPossible } from "./feature-vector.js";
import { assessValues, type Model, valueFor, type ValueOf } from "./model.js";
import { type Tree, type TreesModel, valueAt } from "./trees.js";

/** A value of one feature with which a transaction would have been approved, everything else as it was. */
export interface Counterfactual {
  readonly feature: FeatureName;
  /** In the feature's unit. */
  readonly value: bigint;
  /** Whether it is below what the feature was, the largest such value, or above it, the smallest. */
  readonly bound: "at most" | "at least";
}

/** Values that a model does not tell apart: above the piece before, and up to this. */
interface Piece {
  /** Infinity in the last. */
  readonly upTo: number;
  readonly approved: boolean;
}

/**
 * What would have had to be different for an approval: for each feature the nearest values, below and above its own,
 * with which this very model would have approved the transaction, all other features as they are. Exact: a model looks
 * at a feature only by its thresholds, so all pieces between them are looked at. What would approve only if several
 * features were different is not among them, nor what would if an unknown feature were known, or a known one were not.
 *
 * @returns in the order of docs/features.md; `undefined` for what the model neither reviews nor declines
 */
export function counterfactualsOf(model: Model, evidence: Evidence): Counterfactual[] | undefined {
  const valueOf: ValueOf = (name) => featureValue(evidence, name);
  const { outcome } = assessValues(model, valueOf, false);
  if (outcome !== Outcome.REVIEW && outcome !== Outcome.DECLINE) return undefined;
  return FEATURE_NAMES.flatMap((feature) => {
    const own = valueOf(feature);
    if (own === undefined) return [];
    const pieces = piecesOf(model, feature, valueOf);
    const below = pieces.findLast(({ upTo, approved }) => approved && upTo < own && isPossible(feature, upTo));
    const above = pieces.findIndex(({ approved }, n) => approved && n > 0 && pieces[n - 1]!.upTo >= own);
    return [
      ...(below === undefined ? [] : [{ feature, value: BigInt(below.upTo), bound: "at most" as const }]),
      ...(above === -1 ? [] : [{ feature, value: BigInt(pieces[above - 1]!.upTo) + 1n, bound: "at least" as const }]),
    ];
  });
}

/** All values of a feature, rising. */
function piecesOf(model: Model, feature: FeatureName, valueOf: ValueOf): Piece[] {
  const { definition } = model;
  if (definition.kind === "trees") return piecesOfTrees(definition, feature, valueOf);
  const bounds = definition.rules
    .flatMap(({ when }) => when.filter((condition) => condition.feature === feature))
    .map(({ atLeast, below }) => (atLeast ?? below)! - 1);
  const rising = [...new Set(bounds)].sort((a, b) => a - b);
  const approves = (value: number): boolean =>
    assessValues(model, (name) => (name === feature ? BigInt(value) : valueOf(name)), false).outcome ===
    Outcome.APPROVE;
  return [
    ...rising.map((upTo) => ({ upTo, approved: approves(upTo) })),
    ...rising.slice(-1).map((last) => ({ upTo: Infinity, approved: approves(last + 1) })),
  ];
}

/** Each tree is gone through once for all values: thousands of splits would be asked for each of thousands. */
function piecesOfTrees(model: TreesModel, feature: FeatureName, valueOf: ValueOf): Piece[] {
  const { features, trees, score, reviewAt } = model;
  const free = features.indexOf(feature);
  if (free === -1) return [];
  const row = Float64Array.from(features, (name) => Number(valueFor(model, name, valueOf)));
  /** By how much the margin falls beyond each threshold. */
  const falls = new Map<number, number>();
  let margin = 0;
  for (const tree of trees)
    for (const { from, upTo, leaf } of leavesAlong(tree, row, free)) {
      if (from === -Infinity) margin += leaf;
      else falls.set(from, (falls.get(from) ?? 0) - leaf);
      falls.set(upTo, (falls.get(upTo) ?? 0) + leaf);
    }
  return [...falls.entries()]
    .sort(([a], [b]) => a - b)
    .map(([upTo, fall]) => {
      const approved = valueAt(score, margin) < reviewAt;
      margin -= fall;
      return { upTo, approved };
    });
}

/** The leaves that a tree can come to when one feature may have any value: above `from`, and up to `upTo`. */
function leavesAlong(
  { feature, threshold, left, right, leaf }: Tree,
  row: Float64Array,
  free: number,
): { readonly from: number; readonly upTo: number; readonly leaf: number }[] {
  const visit = (at: number, from: number, upTo: number): ReturnType<typeof leavesAlong> => {
    if (at < 0) return [{ from, upTo, leaf: leaf[-1 - at]! }];
    const split = threshold[at]!;
    if (feature[at] !== free) return visit(row[feature[at]!]! <= split ? left[at]! : right[at]!, from, upTo);
    return [
      ...(from < split ? visit(left[at]!, from, Math.min(upTo, split)) : []),
      ...(split < upTo ? visit(right[at]!, Math.max(from, split), upTo) : []),
    ];
  };
  return visit(feature.length === 0 ? -1 : 0, -Infinity, Infinity);
}
