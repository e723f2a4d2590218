import { createHash } from "node:crypto";

import { type Evidence, Outcome, type Reason, type ScoringEvidence } from "../../protos/gen/fraud/v1/decision.js";
import { contributionsOf, marginOf, onLines, type TreesFile } from "./trees.js";

interface Condition {
  readonly feature: string;
  readonly atLeast?: number;
  readonly below?: number;
}

/** What `models/README.md` describes as `kind: "points"`. */
interface PointsFile {
  readonly kind: "points";
  readonly id: string;
  readonly reviewAt: number;
  readonly declineAt: number;
  readonly rules: readonly { readonly code: string; readonly points: number; readonly when: readonly Condition[] }[];
}

type ModelFile = PointsFile | TreesFile;

/** The models that may occur in a run, by the hexadecimal SHA-256 of their files. */
export type KnownModels = ReadonlyMap<string, ModelFile>;

/** @param files - the contents of model files */
export const knownModels = (files: readonly Buffer[]): KnownModels =>
  new Map(
    files.map((file) => [createHash("sha256").update(file).digest("hex"), JSON.parse(file.toString()) as ModelFile]),
  );

/** What the evidence of a scoring must say, but for its `suspicious_seq`. */
export type ExpectedScoring = Omit<ScoringEvidence, "suspiciousSeq">;

/**
 * The scoring that the models give which the transaction names; where it names none, the model that the scoring itself
 * names, which was its server's own.
 *
 * @returns the hexadecimal hash of a model that is not among these, if one is not
 */
export function scoringOf(
  evidence: Evidence,
  found: ScoringEvidence,
  models: KnownModels,
): ExpectedScoring | { readonly unknownModel: string } {
  const { modelHash: named, challengerHash } = evidence.transaction!;
  const modelHash = named.length > 0 ? named : found.modelHash;
  const model = models.get(modelHash.toString("hex"));
  if (model === undefined) return { unknownModel: modelHash.toString("hex") };
  const decided = scoreOf(model, evidence, true);
  const expected = {
    ...decided,
    modelId: model.id,
    modelHash,
    logicVersion: found.logicVersion,
    challenger: undefined,
  };
  if (challengerHash.length === 0) return expected;
  const challenger = models.get(challengerHash.toString("hex"));
  if (challenger === undefined) return { unknownModel: challengerHash.toString("hex") };
  const { score, probabilityPpm, outcome, marginE6, error } = scoreOf(challenger, evidence, false);
  return {
    ...expected,
    challenger: {
      modelId: challenger.id,
      modelHash: challengerHash,
      score,
      probabilityPpm,
      outcome,
      marginE6,
      error,
    },
  };
}

type Score = Pick<
  ScoringEvidence,
  "score" | "reasons" | "outcome" | "error" | "marginE6" | "probabilityPpm" | "contributions"
>;

function scoreOf(model: ModelFile, evidence: Evidence, explained: boolean): Score {
  return model.kind === "trees" ? byTrees(model, evidence, explained) : byPoints(model, evidence);
}

function byPoints({ rules, ...model }: PointsFile, evidence: Evidence): Score {
  const holds = ({ feature, atLeast, below }: Condition): boolean => {
    const value = valueOf(feature, evidence);
    return value !== undefined && (atLeast === undefined ? value < BigInt(below!) : value >= BigInt(atLeast));
  };
  const reasons = rules.filter(({ when }) => when.every(holds)).map(({ code, points }) => ({ code, points }));
  const score = Math.min(
    1000,
    reasons.reduce((sum, { points }) => sum + points, 0),
  );
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

/** How many of the contributions are reasons too, and what a point of a reason is. */
const REASONS = 3;
const POINT_E6 = 10_000n;

function byTrees(model: TreesFile, evidence: Evidence, explained: boolean): Score {
  const values: bigint[] = [];
  for (const feature of model.features) {
    const value = valueOf(feature, evidence) ?? (model.unknown === undefined ? undefined : BigInt(model.unknown));
    if (value === undefined)
      return {
        score: 0,
        reasons: [],
        outcome: Outcome.ERROR,
        error: `transaction-scorer: the model ${model.id} needs ${feature}, which is not known`,
        marginE6: undefined,
        probabilityPpm: undefined,
        contributions: [],
      };
    values.push(value);
  }
  const marginE6 = marginOf(model, values);
  const score = onLines(model.score, marginE6);
  const outcome = outcomeOf(model, score);
  const contributions =
    explained && outcome !== Outcome.APPROVE
      ? contributionsOf(model, values).flatMap((one, n) =>
          one === 0n ? [] : [{ feature: model.features[n]!, marginE6: one }],
        )
      : [];
  const reasons: Reason[] = contributions
    .filter((one) => one.marginE6 >= POINT_E6)
    .map((one) => ({
      code: one.feature.toUpperCase().split(".").join("_"),
      points: Number(one.marginE6 / POINT_E6),
    }))
    .sort((one, other) => other.points - one.points);
  return {
    score,
    reasons: reasons.slice(0, REASONS),
    outcome,
    error: "",
    marginE6,
    probabilityPpm: onLines(model.probability, marginE6),
    contributions,
  };
}

const outcomeOf = ({ reviewAt, declineAt }: Pick<ModelFile, "reviewAt" | "declineAt">, score: number): Outcome =>
  score >= declineAt ? Outcome.DECLINE : score >= reviewAt ? Outcome.REVIEW : Outcome.APPROVE;

/** What is asked of the transaction's own time. */
const OF_TIME: Readonly<Record<string, (time: Date) => boolean>> = {
  weekend: (time) => [0, 6].includes(time.getUTCDay()),
  night: (time) => time.getUTCHours() < 7,
};

/** A feature's value by its name in models; `undefined`: not known. */
export function valueOf(feature: string, { transaction, account, merchant }: Evidence): bigint | undefined {
  const ofTime = OF_TIME[feature];
  if (ofTime !== undefined) return transaction && (ofTime(new Date(Number(transaction.eventTimeMs))) ? 1n : 0n);
  const { group, field } = fieldOf(feature);
  const fields = { transaction, account: account?.features, merchant: merchant?.features }[group] as
    Record<string, unknown> | undefined;
  const value = fields?.[field];
  return typeof value === "number" || typeof value === "bigint" ? BigInt(value) : undefined;
}

interface FeatureField {
  readonly group: "transaction" | "account" | "merchant";
  readonly field: string;
}

/** Asked for every condition of every decision. */
const known = new Map<string, FeatureField>();

/** `account.history_count` is the field `historyCount` of the account's features, and so on. */
function fieldOf(feature: string): FeatureField {
  let found = known.get(feature);
  if (found === undefined) {
    const [group, name] = (feature.includes(".") ? feature.split(".") : ["transaction", feature]) as [
      FeatureField["group"],
      string,
    ];
    known.set(
      feature,
      (found = { group, field: name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()) }),
    );
  }
  return found;
}
