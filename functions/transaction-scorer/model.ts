import { sha256 } from "@noble/hashes/sha2.js";
import { z } from "zod";

import { type Evidence, Outcome, type Reason } from "../../protos/gen/fraud/v1/decision.js";
import { FEATURE_NAMES, featureValue } from "./feature-vector.js";

const MAX_SCORE = 1000;

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

/** A model that gives points for each rule that fires. Further kinds join as a union on `kind`. */
type PointsModel = z.infer<typeof pointsModelSchema>;

/** A model ready to score, with the identity that evidence names. */
export interface Model {
  readonly id: string;
  /** SHA-256 of the file that it came from: 32 bytes. */
  readonly hash: Uint8Array;
  readonly definition: PointsModel;
}

/** What a model says of one transaction. */
export interface Assessment {
  /** 0 to 1000. */
  readonly score: number;
  readonly reasons: Reason[];
  readonly outcome: Outcome;
}

/**
 * Reads a model file.
 *
 * @param bytes - the file's content: JSON as `models/README.md` describes it
 * @throws Error that names the field and the rule it breaks
 */
export function parseModel(bytes: Uint8Array): Model {
  const result = pointsModelSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
  if (!result.success) throw new Error(`model: ${z.prettifyError(result.error).replaceAll("\n", " ")}`);
  return { id: result.data.id, hash: sha256(bytes), definition: result.data };
}

/** Scores a transaction by its evidence: the points of the rules that fire, in the file's order, at most 1000. */
export function assess({ definition }: Model, evidence: Evidence): Assessment {
  const reasons: Reason[] = [];
  let points = 0;
  for (const rule of definition.rules) {
    const fires = rule.when.every(({ feature, atLeast, below }) => {
      const value = featureValue(evidence, feature);
      if (value === undefined) return false;
      return atLeast === undefined ? value < BigInt(below!) : value >= BigInt(atLeast);
    });
    if (!fires) continue;
    reasons.push({ code: rule.code, points: rule.points });
    points += rule.points;
  }
  const score = Math.min(points, MAX_SCORE);
  const outcome =
    score >= definition.declineAt ? Outcome.DECLINE : score >= definition.reviewAt ? Outcome.REVIEW : Outcome.APPROVE;
  return { score, reasons, outcome };
}
