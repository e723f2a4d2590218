import { outcomeName, summaryOf } from "../../contract/decision-summary.js";
import { isKnownLocation } from "../../functions/distance.js";
import { counterfactualsOf } from "../../functions/transaction-scorer/counterfactuals.js";
import {
  FEATURE_NAMES,
  type FeatureName,
  featureValue,
  isPossible,
} from "../../functions/transaction-scorer/feature-vector.js";
import { type Model, pointsOf } from "../../functions/transaction-scorer/model.js";
import { Decision, type Evidence, Outcome, type ShadowScore } from "../../protos/gen/fraud/v1/decision.js";
import type { Alert } from "../../protos/gen/fraud/v1/evidence.js";
import type { Location } from "../../protos/gen/fraud/v1/transaction.js";
import type { Models } from "./models.js";
import type { NewAlert } from "./state/alert-store.js";
import type { KeptDecision } from "./state/decision-history.js";
import type {
  ChallengerLine,
  ContributionLine,
  CounterfactualLine,
  DecisionDetail,
  DecisionPoint,
  FeatureLine,
  RuleLine,
  VerdictName,
} from "./wire.js";
import { causeText, featureLabel, featureText } from "./words.js";

export const isSuspicious = (outcome: number): boolean =>
  outcome === (Outcome.REVIEW as number) || outcome === (Outcome.DECLINE as number);

/** An alert that opened or escalated an episode, as the list shows it. */
export function alertOf(
  alert: Alert,
  kind: NewAlert["kind"],
  { partition, offset, topic, seenAtMs }: { topic: string; partition: number; offset: bigint; seenAtMs: number },
): NewAlert {
  const { transaction } = alert;
  return {
    id: alert.alertId,
    account: alert.accountId,
    alertSeq: alert.alertSeq.toString(),
    episode: alert.episode.toString(),
    kind,
    cause: causeText(alert.cause, alert.suspiciousCount),
    score: alert.score,
    maxScore: alert.maxScore,
    count: alert.suspiciousCount,
    sumMinor: Number(alert.suspiciousAmountMinor),
    amountMinor: Number(transaction?.amountMinor ?? 0n),
    currency: transaction?.currency ?? "",
    transactionId: transaction?.transactionId ?? "",
    merchantId: transaction?.merchantId ?? "",
    merchantName: transaction?.merchantName ?? "",
    place: transaction?.location?.name ?? "",
    ...degreesOf(transaction?.location),
    eventTimeMs: Number(transaction?.eventTimeMs ?? 0n),
    raisedAtMs: Number(alert.raisedAtMs),
    seenAtMs,
    reasons: alert.reasons.map(({ code, points }) => ({ code, points })),
    kafka: { topic, partition, offset: offset.toString() },
  };
}

/** Where on the map; nowhere, if the functions take the place as unknown. */
const degreesOf = (location: Location | undefined): Pick<DecisionPoint, "latitude" | "longitude"> =>
  isKnownLocation(location)
    ? { latitude: location.latitudeE6 / 1e6, longitude: location.longitudeE6 / 1e6 }
    : { latitude: null, longitude: null };

/** A decision as a point of a timeline. */
export function pointOf(
  { payload, seenAtMs }: KeptDecision,
  verdictOf: (account: string, transactionId: string) => VerdictName | null,
): DecisionPoint {
  return point(Decision.decode(payload).evidence!, seenAtMs, verdictOf);
}

function point(
  evidence: Evidence,
  seenAtMs: number,
  verdictOf: (account: string, transactionId: string) => VerdictName | null,
): DecisionPoint {
  const { transaction, account, merchant } = evidence;
  const { accountId, transactionId, location } = transaction!;
  return {
    account: accountId,
    transactionId,
    merchantId: transaction!.merchantId,
    merchantName: transaction!.merchantName,
    amountMinor: Number(transaction!.amountMinor),
    currency: transaction!.currency,
    place: location?.name ?? "",
    ...degreesOf(location),
    eventTimeMs: Number(transaction!.eventTimeMs),
    ...summaryOf(evidence),
    accountEventSeq: String(account?.eventSeq ?? 0n),
    merchantSeq: String(merchant?.seq ?? 0n),
    merchantEventSeq: String(merchant?.eventSeq ?? 0n),
    accountFrauds: account?.features?.confirmedFraudCount ?? 0,
    merchantFrauds: merchant?.features?.confirmedFraudCount ?? 0,
    merchantFraudPermille: merchant?.features?.fraudRatePermille ?? 0,
    seenAtMs,
    verdict: verdictOf(accountId, transactionId),
  };
}

/** A decision with every rule of its model and every feature. */
export function detailOf(
  kept: KeptDecision,
  models: Models,
  topic: string,
  verdictOf: (account: string, transactionId: string) => VerdictName | null,
): DecisionDetail {
  const evidence = Decision.decode(kept.payload).evidence!;
  const { account, merchant, scoring } = evidence;
  const { currency } = evidence.transaction!;
  const modelHash = hex(scoring?.modelHash);
  const loaded = models.find(modelHash);
  const model = loaded?.definition;
  const fired = new Map(scoring?.reasons.map(({ code, points }) => [code, points]));
  const definedRules = model?.kind === "points" ? model.rules : [];
  const contributions = contributionsOf(evidence, model);
  const contributed = new Map(contributions.map(({ name, points }) => [name, points]));
  const rules: RuleLine[] = definedRules.map(({ code, description, points, when }) => ({
    code,
    words: description,
    points,
    fired: fired.has(code),
    conditions: when.map(({ feature, atLeast, below }) => {
      const value = featureValue(evidence, feature);
      const bound = BigInt(atLeast ?? below ?? 0);
      return {
        label: featureLabel(feature),
        wanted: `${atLeast === undefined ? "below" : "at least"} ${featureText(feature, bound, currency)}`,
        value: value === undefined ? "" : featureText(feature, value, currency),
        holds: value !== undefined && (atLeast === undefined ? value < bound : value >= bound),
      };
    }),
  }));
  const features: FeatureLine[] = FEATURE_NAMES.map((name) => {
    const value = featureValue(evidence, name);
    const [group] = name.split(".", 1);
    const points = definedRules
      .filter((rule) => fired.has(rule.code) && rule.when.some(({ feature }) => feature === name))
      .reduce((sum, rule) => sum + rule.points, contributed.get(name) ?? 0);
    return {
      name,
      group: group === "account" || group === "merchant" ? group : "transaction",
      label: featureLabel(name),
      value: value === undefined ? "" : featureText(name, value, currency),
      points,
    };
  });
  return {
    ...point(evidence, kept.seenAtMs, verdictOf),
    modelId: scoring?.modelId ?? "",
    modelHash,
    modelStamped: (evidence.transaction?.modelHash.length ?? 0) > 0,
    modelKnown: model !== undefined,
    thresholds: model === undefined ? null : { reviewAt: model.reviewAt, declineAt: model.declineAt },
    probabilityPpm: scoring?.probabilityPpm ?? null,
    contributions,
    counterfactuals: loaded === undefined ? null : counterfactualLines(loaded, evidence),
    challenger: scoring?.challenger === undefined ? null : challengerOf(scoring.challenger, scoring.outcome),
    logicVersions: {
      account: account?.logicVersion ?? "",
      merchant: merchant?.logicVersion ?? "",
      scorer: scoring?.logicVersion ?? "",
    },
    suspiciousSeq: scoring?.suspiciousSeq === undefined ? "" : String(scoring.suspiciousSeq),
    error: [account?.error, merchant?.error, scoring?.error].filter(Boolean).join("; "),
    rules,
    features,
    kafka: { topic, partition: kept.partition, offset: kept.offset.toString() },
  };
}

/** By how much each feature moved it, the largest first; beside each what the model calls ordinary. */
function contributionsOf(evidence: Evidence, model: Model["definition"] | undefined): ContributionLine[] {
  const { currency } = evidence.transaction!;
  const ordinary = new Map<string, number>(
    model?.kind === "trees" ? model.features.map((name, n) => [name, model.ordinary[n]!]) : [],
  );
  return (evidence.scoring?.contributions ?? [])
    .toSorted((a, b) => Number(size(b.marginE6) - size(a.marginE6)))
    .map(({ feature, marginE6 }) => {
      const points = pointsOf(size(marginE6));
      const line = { name: feature, points: marginE6 < 0n && points > 0 ? -points : points };
      // The topic may have it from newer functions.
      if (!isFeature(feature)) return { ...line, label: feature, value: "", ordinary: "" };
      const value = featureValue(evidence, feature);
      const usual = ordinary.get(feature);
      return {
        ...line,
        label: featureLabel(feature),
        value: value === undefined ? "" : featureText(feature, value, currency),
        // What stands for an unknown one is no value.
        ordinary:
          usual === undefined || !isPossible(feature, usual) ? "" : featureText(feature, BigInt(usual), currency),
      };
    });
}

const counterfactualLines = (model: Model, evidence: Evidence): CounterfactualLine[] | null =>
  counterfactualsOf(model, evidence)?.map(({ feature, value, bound }) => {
    const text = (of: bigint): string => featureText(feature, of, evidence.transaction!.currency);
    return {
      name: feature,
      label: featureLabel(feature),
      was: text(featureValue(evidence, feature)!),
      wanted: bound === "at most" ? `below ${text(value + 1n)}` : `at least ${text(value)}`,
    };
  }) ?? null;

const challengerOf = (
  { modelId, modelHash, score, probabilityPpm, outcome, error }: ShadowScore,
  decided: Outcome,
): ChallengerLine => ({
  modelId,
  modelHash: hex(modelHash),
  score,
  probabilityPpm: probabilityPpm ?? null,
  outcome: outcomeName(outcome),
  agrees: outcome === decided,
  error,
});

const size = (marginE6: bigint): bigint => (marginE6 < 0n ? -marginE6 : marginE6);
const isFeature = (name: string): name is FeatureName => (FEATURE_NAMES as readonly string[]).includes(name);
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");
