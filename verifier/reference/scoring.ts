import { createHash } from "node:crypto";

import { type Evidence, Outcome, type Reason } from "../../protos/gen/fraud/v1/decision.js";

interface Condition {
  readonly feature: string;
  readonly atLeast?: number;
  readonly below?: number;
}

/** A model file as `models/README.md` describes it. */
interface ModelFile {
  readonly id: string;
  readonly reviewAt: number;
  readonly declineAt: number;
  readonly rules: readonly { readonly code: string; readonly points: number; readonly when: readonly Condition[] }[];
}

/** The models that may occur in a run, by the hexadecimal SHA-256 of their files. */
export type KnownModels = ReadonlyMap<string, ModelFile>;

/** @param files - the contents of model files */
export const knownModels = (files: readonly Buffer[]): KnownModels =>
  new Map(
    files.map((file) => [createHash("sha256").update(file).digest("hex"), JSON.parse(file.toString()) as ModelFile]),
  );

/** The score that a model gives to this evidence. */
export function scoreOf(
  { rules, reviewAt, declineAt }: ModelFile,
  evidence: Evidence,
): { score: number; reasons: Reason[]; outcome: Outcome } {
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
    outcome: score >= declineAt ? Outcome.DECLINE : score >= reviewAt ? Outcome.REVIEW : Outcome.APPROVE,
  };
}

function valueOf(feature: string, { transaction, account, merchant }: Evidence): bigint | undefined {
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
