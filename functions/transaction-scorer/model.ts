import { sha256 } from "@noble/hashes/sha2.js";
import { z } from "zod";

import { type Contribution, type Evidence, Outcome, type Reason } from "../../protos/gen/fraud/v1/decision.js";
import { FEATURE_NAMES, type FeatureName, featureValue } from "./feature-vector.js";
import { contributionsOf, marginOf, MAX_SCORE, type TreesModel, treesModelSchema, valueAt } from "./trees.js";

/** Of a model of trees: the largest contributions, which are told as reasons. */
const MAX_REASONS = 3;
/** What a point of such a reason is, in millionths of the logarithm of the odds. */
const POINT_E6 = 10_000;

const conditionSchema = z
  .strictObject({
    feature: z.enum(FEATURE_NAMES),
    /** Holds when the feature is known and at least this. */
    atLeast: z.int().optional(),
    /** Holds when the feature is known and below this. */
    below: z.int().optional(),
  })
  .refine(
    ({ atLeast, below }) => (atLeast === undefined) !== (below === undefined),
    "a condition has either atLeast or below",
  );

const pointsModelSchema = z
  .strictObject({
    id: z.string().min(1),
    kind: z.literal("points"),
    description: z.string(),
    /** Scores from which on a transaction is reviewed or declined: the suspicious ones. */
    reviewAt: z.int().min(1).max(MAX_SCORE),
    declineAt: z.int().min(1).max(MAX_SCORE),
    rules: z
      .array(
        z.strictObject({
          /** The reason code that a decision carries when the rule fires. */
          code: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
          description: z.string(),
          points: z.int().min(1).max(MAX_SCORE),
          /** All must hold. */
          when: z.array(conditionSchema).min(1),
        }),
      )
      .min(1),
  })
  .refine(({ reviewAt, declineAt }) => reviewAt <= declineAt, "declineAt is not below reviewAt")
  .refine(
    ({ rules }) => new Set(rules.map(({ code }) => code)).size === rules.length,
    "each rule has a code of its own",
  );

/** A model that gives points for each rule that fires. */
type PointsModel = z.infer<typeof pointsModelSchema>;

const modelSchema = z.discriminatedUnion("kind", [pointsModelSchema, treesModelSchema]);

/** A model ready to score, with the identity that evidence names. */
export interface Model {
  readonly id: string;
  /** SHA-256 of the file that it came from: 32 bytes. */
  readonly hash: Uint8Array;
  readonly definition: PointsModel | TreesModel;
}

/** A feature's value; `undefined` when it is not known. */
export type ValueOf = (name: FeatureName) => bigint | undefined;

/** What a model says of one transaction. */
export interface Assessment {
  /** 0 to 1000. */
  readonly score: number;
  readonly reasons: Reason[];
  /** ERROR when the model cannot score it. */
  readonly outcome: Outcome;
  /** Why it cannot; else empty. */
  readonly error: string;
  /** Of models of trees. */
  readonly marginE6: bigint | undefined;
  readonly probabilityPpm: number | undefined;
  readonly contributions: Contribution[];
}

/**
 * Reads a model file.
 *
 * @param bytes - the file's content: JSON as `models/README.md` describes it
 * @throws Error that names the field and the rule it breaks
 */
export function parseModel(bytes: Uint8Array): Model {
  const result = modelSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
  if (!result.success) throw new Error(`model: ${z.prettifyError(result.error).replaceAll("\n", " ")}`);
  return { id: result.data.id, hash: sha256(bytes), definition: result.data };
}

/**
 * Scores a transaction by its evidence.
 *
 * A model of trees cannot without all of its features, unless it says what stands for one that is not known.
 *
 * @param explained - whether the contributions to a suspicious one are wanted
 */
export function assess(model: Model, evidence: Evidence, explained = true): Assessment {
  return assessValues(model, (name) => featureValue(evidence, name), explained);
}

/** As {@link assess}, by the values of features, wherever they are from. */
export function assessValues({ definition }: Model, valueOf: ValueOf, explained: boolean): Assessment {
  return definition.kind === "points"
    ? assessByPoints(definition, valueOf)
    : assessByTrees(definition, valueOf, explained);
}

/** The points of the rules that fire, in the file's order, at most 1000. */
function assessByPoints(model: PointsModel, valueOf: ValueOf): Assessment {
  const reasons: Reason[] = [];
  let points = 0;
  for (const rule of model.rules) {
    const fires = rule.when.every(({ feature, atLeast, below }) => {
      const value = valueOf(feature);
      if (value === undefined) return false;
      return atLeast === undefined ? value < BigInt(below!) : value >= BigInt(atLeast);
    });
    if (!fires) continue;
    reasons.push({ code: rule.code, points: rule.points });
    points += rule.points;
  }
  const score = Math.min(points, MAX_SCORE);
  return {
    score,
    reasons,
    outcome: outcomeOf(model, score),
    error: "",
    marginE6: undefined,
    probabilityPpm: undefined,
    contributions: [],
  };
}

/** The tables' values at the trees' sum; of what is suspicious the largest contributions are the reasons. */
function assessByTrees(model: TreesModel, valueOf: ValueOf, explained: boolean): Assessment {
  const values = model.features.map((name) => valueFor(model, name, valueOf));
  const missing = values.indexOf(undefined);
  if (missing !== -1) return unscored(`the model ${model.id} needs ${model.features[missing]}, which is not known`);
  // What is beyond 2⁵³ stays beyond every threshold.
  const row = Float64Array.from(values, Number);
  const margin = marginOf(model.trees, row);
  const score = valueAt(model.score, margin);
  const outcome = outcomeOf(model, score);
  const contributions =
    explained && outcome !== Outcome.APPROVE
      ? contributionsOf(model.trees, row, model.ordinary)
          .map((marginE6, n) => ({ feature: model.features[n]!, marginE6 }))
          .filter(({ marginE6 }) => marginE6 !== 0n)
      : [];
  return {
    score,
    reasons: reasonsOf(contributions),
    outcome,
    error: "",
    marginE6: BigInt(margin),
    probabilityPpm: valueAt(model.probability, margin),
    contributions,
  };
}

/** A feature's value as trees take it: where it is not known what the model has for that. */
export const valueFor = ({ unknown }: TreesModel, name: FeatureName, valueOf: ValueOf): bigint | undefined =>
  valueOf(name) ?? (unknown === undefined ? undefined : BigInt(unknown));

/** The largest contributions towards fraud; of equal ones the model's first. */
function reasonsOf(contributions: readonly Contribution[]): Reason[] {
  return contributions
    .map(({ feature, marginE6 }) => ({ code: reasonCode(feature), points: pointsOf(marginE6) }))
    .filter(({ points }) => points > 0)
    .sort((a, b) => b.points - a.points)
    .slice(0, MAX_REASONS);
}

/** Of a model of trees: `account.ratio_permille` is the reason `ACCOUNT_RATIO_PERMILLE`. */
export const reasonCode = (feature: string): string => feature.replace(".", "_").toUpperCase();

/** A contribution in points, as reasons have them: hundredths of the logarithm of the odds, rounded down. */
export const pointsOf = (marginE6: bigint): number => Math.floor(Number(marginE6) / POINT_E6);

/** The assessment of what could not be assessed. */
export const unscored = (error: string): Assessment => ({
  score: 0,
  reasons: [],
  outcome: Outcome.ERROR,
  error,
  marginE6: undefined,
  probabilityPpm: undefined,
  contributions: [],
});

const outcomeOf = ({ reviewAt, declineAt }: PointsModel | TreesModel, score: number): Outcome =>
  score >= declineAt ? Outcome.DECLINE : score >= reviewAt ? Outcome.REVIEW : Outcome.APPROVE;

/** The features that a model cannot do without. */
export const neededFeatures = ({ definition }: Model): readonly FeatureName[] =>
  definition.kind === "points" ? [] : definition.features;
