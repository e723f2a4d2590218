import { BinaryReader } from "@bufbuild/protobuf/wire";

import { ACCOUNT_COUNTER, MERCHANT_MODEL } from "../contract/function-names.js";
import { positionText, type RawRecord } from "../contract/raw-record.js";
import { TOPICS } from "../contract/topics.js";
import { RecordDecoder } from "../kafka/decode.js";
import { type Decision, type Evidence, Outcome } from "../protos/gen/fraud/v1/decision.js";
import { Alert_Cause, Alert_Kind, StateEvent_Kind } from "../protos/gen/fraud/v1/evidence.js";
import { FraudLabel, Verdict } from "../protos/gen/fraud/v1/transaction.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import { accountHistories, alertIn, decisionIn, eventIn, merchantHistories } from "../verifier/records.js";
import { isSourceOf, type Known } from "../verifier/replay.js";
import { hopsOf } from "./hops.js";
import { type EnteredRecord, isCut, type RelatedRecords, type Sightings } from "./read.js";
import { rederive } from "./rederive.js";
import type { CommitFinding, Trace, TracedAlert, TracedEvent, TracedLabel, TracedRefusal } from "./types.js";

/** What a trace is made of. */
export interface Material {
  readonly transactionId: string;
  readonly accountId: string;
  readonly sightings: Sightings;
  /** `undefined` when nothing but refusals was found. */
  readonly related: RelatedRecords | undefined;
  readonly known: Known;
}

/** The committed decision on a transaction; the last one, when it came again after its account had forgotten it. */
export const decisionRecord = (material: Material): RawRecord | undefined => decisionRecords(material).at(-1);

function decisionRecords({ transactionId, accountId, related }: Material): RawRecord[] {
  return (related?.decisions ?? []).filter((record) => {
    const transaction = decisionIn(record)?.evidence?.transaction;
    return transaction?.accountId === accountId && transaction.transactionId === transactionId;
  });
}

/**
 * The record that a decision is on: among several under one id it is told by its content, and after a second decision
 * by its time.
 */
function decidedRecord(all: readonly EnteredRecord[], decision: Decision | undefined): EnteredRecord | undefined {
  const { transaction, account } = decision?.evidence ?? {};
  if (transaction === undefined) return all[0];
  const same = all.filter((one) => one.transaction.contentHash.equals(transaction.contentHash));
  const before = same.filter(({ record }) => record.timestampMs <= Number(decision?.timing?.countedAtMs ?? 0n));
  return (account?.possibleRepeat === true ? before.at(-1) : undefined) ?? same[0] ?? all[0];
}

/** Puts a trace together from the records that were read. */
export function assemble(material: Material, commit: CommitFinding | undefined): Trace {
  const { transactionId, accountId, sightings, related, known } = material;
  const record = decisionRecord(material);
  const decision = record && decisionIn(record);
  const evidence = decision?.evidence;
  const inDecision = evidence?.transaction;
  const entered = decidedRecord(sightings.entered, decision);
  const transaction = entered?.transaction ?? inDecision;
  const refused = sightings.refused.map((one): TracedRefusal => ({
    place: one.name,
    by: one.by,
    reason: one.reason,
    message: one.message,
    atMs: one.timestampMs,
  }));
  const decoder = new RecordDecoder();
  const scoring = evidence?.scoring;
  const labels = related === undefined ? [] : labelsOf(related, accountId, transactionId);
  const alerts =
    related === undefined || scoring?.suspiciousSeq === undefined
      ? []
      : alertsOf(related, accountId, transactionId, scoring.suspiciousSeq);
  const onlyRefused =
    transaction === undefined ||
    (decision === undefined &&
      sightings.refused.some(({ by, topic }) => by === "account-counter" && topic === TOPICS.transactions.name) &&
      sightings.entered.length <= 1);
  const shown =
    record && (decoder.decode(record.topic, record.value).value as { readonly evidence?: Trace["evidence"] }).evidence;
  return {
    transactionId,
    accountId,
    merchantId: transaction?.merchantId,
    state: decision !== undefined ? "decided" : onlyRefused ? "refused" : "pending",
    transaction: entered
      ? (decoder.decode(entered.record.topic, entered.record.value).value as Trace["transaction"])
      : (shown?.["transaction"] as Trace["transaction"]),
    entered: {
      door: transaction === undefined ? "unknown" : transaction.origin === undefined ? "HTTP" : "Kafka",
      origin: transaction?.origin && positionText(transaction.origin),
      place: entered && positionText(entered.record),
      again: sightings.entered.filter((one) => one !== entered).map(({ record }) => positionText(record)),
    },
    hops: hopsOf({
      accountId,
      merchantId: transaction?.merchantId,
      entered,
      decision: record && decision && { record, decision },
      commit,
      alerts,
    }),
    decision: record &&
      scoring && {
        place: positionText(record),
        outcome: Outcome[scoring.outcome],
        score: scoring.score,
        reasons: scoring.reasons.map(({ code, points }) => ({ code, points })),
        modelId: scoring.modelId,
        error: scoring.error,
        probabilityPpm: scoring.probabilityPpm,
        challenger: scoring.challenger && {
          modelId: scoring.challenger.modelId,
          outcome: Outcome[scoring.challenger.outcome],
          score: scoring.challenger.score,
          probabilityPpm: scoring.challenger.probabilityPpm,
          error: scoring.challenger.error,
        },
        possibleRepeat: evidence.account?.possibleRepeat ?? false,
        earlier: decisionRecords(material).slice(0, -1).map(positionText),
      },
    evidence: shown,
    commit: commit && commitOf(commit),
    alerts,
    labels,
    stateEvents: related === undefined ? [] : eventsOf(related, accountId, transactionId, labels),
    refused,
    rederivation:
      record && evidence && related
        ? rederive(
            evidence,
            rawEvidence(record),
            entered?.transaction,
            historiesOf(evidence, related, sightings),
            known,
          )
        : undefined,
  };
}

function historiesOf(
  { transaction }: Evidence,
  related: RelatedRecords,
  sightings: Sightings,
): Parameters<typeof rederive>[3] {
  const labels = related.labels
    .flatMap(({ value }) => (value === null ? [] : [FraudLabel.decode(value)]))
    .filter(({ accountId }) => accountId === transaction!.accountId);
  return {
    account: accountHistories(related).get(transaction!.accountId) ?? [],
    merchant: merchantHistories(related).get(transaction!.merchantId) ?? [],
    labels,
    cut: isCut([...related.partitions, ...sightings.partitions]),
  };
}

/** The evidence's own bytes in a decision's record: encoded again they might only look the same. */
function rawEvidence({ value }: Pick<RawRecord, "value">): Uint8Array {
  const reader = new BinaryReader(Any.decode(value!).value);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) return reader.bytes();
    reader.skip(wireType);
  }
  return new Uint8Array();
}

function alertsOf(
  { alerts }: RelatedRecords,
  accountId: string,
  transactionId: string,
  suspiciousSeq: bigint,
): TracedAlert[] {
  const own = alerts.flatMap((record) => {
    const alert = alertIn(record);
    return alert?.accountId === accountId ? [{ alert, place: positionText(record) }] : [];
  });
  // An episode takes in the suspicious decisions from its first alert's number to its last one's.
  const opened = own
    .filter(({ alert }) => alert.kind === Alert_Kind.OPENED && alert.lastSuspiciousSeq <= suspiciousSeq)
    .at(-1);
  const closed = own.find(({ alert }) => alert.kind === Alert_Kind.CLOSED && alert.episode === opened?.alert.episode);
  if (opened === undefined || (closed !== undefined && closed.alert.lastSuspiciousSeq < suspiciousSeq)) return [];
  return own
    .filter(({ alert }) => alert.episode === opened.alert.episode)
    .map(({ alert, place }) => ({
      place,
      alertId: alert.alertId,
      kind: Alert_Kind[alert.kind],
      cause: Alert_Cause[alert.cause],
      episode: String(alert.episode),
      raisedAtMs: Number(alert.raisedAtMs),
      byThis: alert.transaction?.transactionId === transactionId && alert.lastSuspiciousSeq === suspiciousSeq,
    }));
}

/** What a label leaves out stands in the event that it made. */
function labelsOf({ labels, evidence }: RelatedRecords, accountId: string, transactionId: string): TracedLabel[] {
  const events = evidence
    .flatMap((record) => eventIn(record) ?? [])
    .filter(
      (event) =>
        event.function === ACCOUNT_COUNTER && event.addressId === accountId && event.kind === StateEvent_Kind.LABEL,
    );
  return labels.flatMap((record) => {
    const label = record.value === null ? undefined : FraudLabel.decode(record.value);
    if (label?.accountId !== accountId || label.transactionId !== transactionId) return [];
    const at = events.findIndex((event) => isSourceOf(label, event));
    const [event] = at < 0 ? [] : events.splice(at, 1);
    return [
      {
        place: positionText(record),
        labelId: label.labelId,
        revision: label.revision ?? event?.revision ?? 0,
        verdict: Verdict[label.verdict],
        effectiveAtMs: Number(label.effectiveAtMs ?? event?.effectiveAtMs ?? 0n),
      },
    ];
  });
}

/**
 * Those of the account, and those that its labels made at the merchant. Another account may have a transaction of this
 * id.
 */
function eventsOf(
  { evidence }: RelatedRecords,
  accountId: string,
  transactionId: string,
  labels: readonly TracedLabel[],
): TracedEvent[] {
  const own = new Set(labels.map(({ labelId, revision }) => `${labelId} revision ${revision}`));
  return evidence.flatMap((record) => {
    const event = eventIn(record);
    if (event?.transactionId !== transactionId) return [];
    const source = `${event.sourceId} revision ${event.revision}`;
    const isOurs =
      event.function === ACCOUNT_COUNTER
        ? event.addressId === accountId
        : event.function === MERCHANT_MODEL && own.has(source);
    if (!isOurs) return [];
    return [
      {
        place: positionText(record),
        address: `${event.function}/${event.addressId}`,
        eventSeq: String(event.eventSeq),
        kind: StateEvent_Kind[event.kind],
        source,
        fraudDelta: event.fraudDelta,
      },
    ];
  });
}

function commitOf(commit: CommitFinding): NonNullable<Trace["commit"]> {
  switch (commit.kind) {
    case "commit":
      return {
        how: "commit",
        source: `the transaction's marker in ${TOPICS.decisions.name} at offset ${commit.offset}, by the broker's clock`,
      };
    case "open":
      return { how: "open", source: "the transaction has not ended yet" };
    case "plain":
      return { how: "plain", source: "the record was written outside any transaction" };
    case "abort":
      // A committed reader gave the record: the broker would contradict itself.
      return {
        how: "unknown",
        source: `the broker shows an abort marker at offset ${commit.offset} for a record that it gives to committed readers`,
      };
    case "unknown":
      return { how: "unknown", source: commit.reason };
  }
}
