import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { TOPICS } from "../../../contract/topics.js";
import { REPOSITORY_ROOT } from "../../../process/repository-root.js";
import { Decision, Outcome, type ScoringEvidence } from "../../../protos/gen/fraud/v1/decision.js";
import type { Location } from "../../../protos/gen/fraud/v1/transaction.js";
import { Any } from "../../../protos/gen/google/protobuf/any.js";
import type { NewAlert } from "../state/alert-store.js";
import type { FedRecord } from "../state/dashboard.js";
import type { PipelineState } from "../wire.js";

/** A pipeline that runs. */
export const SAMPLE_PIPELINE: PipelineState = {
  kafka: "answers",
  job: "RUNNING",
  restarts: 0,
  interruptions: 0,
  lastOutageMs: null,
  checkpoints: null,
  caughtUp: true,
};

/** An alert for specs. */
export function sampleAlert(fields: Partial<NewAlert> = {}): NewAlert {
  return {
    id: "a/1",
    account: "a",
    alertSeq: "1",
    episode: "1",
    kind: "opened",
    cause: "first suspicious transaction",
    score: 450,
    maxScore: 450,
    count: 1,
    sumMinor: 1999,
    amountMinor: 1999,
    currency: "EUR",
    transactionId: "t1",
    merchantId: "m1",
    merchantName: "Corner shop",
    place: "Lisbon, PT",
    latitude: 38.72,
    longitude: -9.14,
    eventTimeMs: 1_767_225_600_000,
    raisedAtMs: 1_767_225_600_000,
    seenAtMs: 1_767_225_601_000,
    reasons: [{ code: "TRAVEL_IMPOSSIBLE", points: 450 }],
    kafka: { topic: "alerts", partition: 0, offset: "7" },
    ...fields,
  };
}

interface SampleDecision {
  readonly accountId?: string;
  readonly transactionId?: string;
  readonly merchantId?: string;
  readonly merchantName?: string;
  readonly accountSeq?: bigint;
  readonly accountEventSeq?: bigint;
  readonly merchantEventSeq?: bigint;
  readonly outcome?: Outcome;
  readonly score?: number;
  readonly confirmed?: number;
  readonly eventTimeMs?: bigint;
  readonly location?: Location;
}

/** A decision of `points-v1` for specs. */
export function sampleDecision({
  accountId = "a",
  transactionId = "t1",
  merchantId = "m1",
  merchantName = "Corner shop",
  accountSeq = 1n,
  accountEventSeq = accountSeq,
  merchantEventSeq = 1n,
  outcome = Outcome.REVIEW,
  score = 450,
  confirmed = 0,
  eventTimeMs = 1_767_225_600_000n,
  location = { latitudeE6: 38_720_000, longitudeE6: -9_140_000, name: "Lisbon, PT" },
}: SampleDecision = {}): Decision {
  return Decision.fromPartial({
    evidence: {
      transaction: {
        transactionId,
        accountId,
        merchantId,
        merchantName,
        amountMinor: 1999n,
        currency: "EUR",
        eventTimeMs,
        location,
      },
      account: {
        seq: accountSeq,
        eventSeq: accountEventSeq,
        logicVersion: "1+aaaa",
        features: {
          velocityCount: 1,
          travelSpeedKmh: 1_200n,
          travelDistanceM: 900_000n,
          confirmedFraudCount: confirmed,
        },
      },
      merchant: {
        seq: 1n,
        eventSeq: merchantEventSeq,
        logicVersion: "1+aaaa",
        features: { recentCount: 3, confirmedFraudCount: 1, fraudRatePermille: 7 },
      },
      scoring: {
        logicVersion: "1+aaaa",
        modelId: "points-v1",
        modelHash: modelHash("points-v1.json"),
        score,
        outcome,
        reasons: [{ code: "TRAVEL_IMPOSSIBLE", points: 450 }],
        suspiciousSeq: 1n,
      },
    },
    timing: { countedAtMs: 1n, merchantAtMs: 2n, scoredAtMs: 3n },
  });
}

/** Its record in the topic `decisions`. */
export const sampleDecisionRecord = (fields: SampleDecision = {}): Buffer => decisionBytes(sampleDecision(fields));

/** A decision as the topic has it. */
export const decisionBytes = (decision: Decision): Buffer =>
  Buffer.from(
    Any.encode({
      typeUrl: `type.googleapis.com/${Decision.$type}`,
      value: Buffer.from(Decision.encode(decision).finish()),
    }).finish(),
  );

/** A decision of a model of trees, with a challenger beside it, for specs. */
export function sampleTreesDecision(fields: SampleDecision = {}): Decision {
  const decision = sampleDecision({ score: 431, ...fields });
  const { transaction, account, scoring } = decision.evidence!;
  const hash = modelHash("handbook/day-157.json");
  transaction!.modelHash = hash;
  transaction!.challengerHash = modelHash("points-v1.json");
  account!.features = { ...account!.features!, count30d: 3, zPermille: -30n };
  Object.assign(scoring!, {
    modelId: "handbook-day-157",
    modelHash: hash,
    reasons: [{ code: "ACCOUNT_COUNT_30D", points: 251 }],
    marginE6: -1_953_000n,
    probabilityPpm: 124_200,
    contributions: [
      { feature: "amount_minor", marginE6: -129_999n },
      { feature: "account.count_30d", marginE6: 2_519_999n },
      { feature: "account.z_permille", marginE6: -9_000n },
      { feature: "merchant.run", marginE6: 300_000n },
    ],
    challenger: {
      modelId: "points-v1",
      modelHash: transaction!.challengerHash,
      score: 750,
      probabilityPpm: undefined,
      outcome: Outcome.DECLINE,
      marginE6: undefined,
      error: "",
    },
  } satisfies Partial<ScoringEvidence>);
  return decision;
}

const modelHash = (name: string): Buffer =>
  createHash("sha256")
    .update(readFileSync(join(REPOSITORY_ROOT, "models", name)))
    .digest();

let lastOffset = 0n;

/** A record as the web app's reader hands it on. */
export const fedRecord = (topic: string, value: Buffer, fields: Partial<FedRecord> = {}): FedRecord => ({
  topic,
  partition: 0,
  offset: ++lastOffset,
  timestampMs: 1_000,
  key: null,
  value,
  arrivedAtMs: 2_000,
  earlier: false,
  ...fields,
});

export const decisionRecord = (value: Buffer, fields: Partial<FedRecord> = {}): FedRecord =>
  fedRecord(TOPICS.decisions.name, value, fields);
