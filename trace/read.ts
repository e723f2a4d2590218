import type { RawRecord } from "../contract/raw-record.js";
import { TOPICS, type TopicSettings } from "../contract/topics.js";
import { type ReadPartition, scanTopics } from "../java/java-reader.js";
import { partitionOf } from "../kafka/partition.js";
import { FraudLabel, Transaction } from "../protos/gen/fraud/v1/transaction.js";
import { type RefusedRecord, refusedRecords } from "../rejected/refused-records.js";
import { decisionIn } from "../verifier/records.js";

const READ_LIMIT_MS = 600_000;
const PROGRESS_RECORDS = 20_000;

/** Says what is being read, for people. */
export type Progress = (line: string) => void;

/** A transaction that entered, and where it stands. */
export interface EnteredRecord {
  readonly record: RawRecord;
  readonly transaction: Transaction;
}

/** Everything that is known under one transaction id, whoever's. */
export interface Sightings {
  /** In `transactions.valid`, in the order in which they entered. */
  readonly entered: readonly EnteredRecord[];
  readonly refused: readonly (RefusedRecord & { readonly accountId: string })[];
  readonly partitions: readonly ReadPartition[];
}

/** Records that may bear on one transaction: those of its account and its merchant. */
export interface RelatedRecords {
  readonly decisions: readonly RawRecord[];
  readonly evidence: readonly RawRecord[];
  readonly alerts: readonly RawRecord[];
  readonly labels: readonly RawRecord[];
  readonly partitions: readonly ReadPartition[];
}

/** Looks for a transaction id among what entered and what was refused; with an account, in its partition only. */
export async function sight(
  brokers: string,
  transactionId: string,
  accountId: string | undefined,
  progress: Progress,
): Promise<Sightings> {
  const needle = Buffer.from(transactionId);
  const entered: EnteredRecord[] = [];
  const [partitions, refused] = await Promise.all([
    scan(brokers, [of(TOPICS.transactionsValid, accountId)], progress, (record) => {
      if (record.value?.includes(needle) !== true) return;
      const transaction = Transaction.decode(record.value);
      if (transaction.transactionId === transactionId && (accountId ?? transaction.accountId) === transaction.accountId)
        entered.push({ record, transaction });
    }),
    refusedRecords(brokers),
  ]);
  return {
    entered,
    partitions,
    refused: refused.flatMap((one) => {
      const named = one.value?.includes(needle) === true ? identityIn(one.value, one.topic) : undefined;
      return named?.transactionId === transactionId && (accountId ?? named.accountId) === named.accountId
        ? [{ ...one, accountId: named.accountId }]
        : [];
    }),
  };
}

/** Looks for decisions on a transaction id: for one whose record retention has removed from `transactions.valid`. */
export async function sightDecisions(
  brokers: string,
  transactionId: string,
  accountId: string | undefined,
  progress: Progress,
): Promise<Transaction[]> {
  const needle = Buffer.from(transactionId);
  const found: Transaction[] = [];
  await scan(brokers, [of(TOPICS.decisions, accountId)], progress, (record) => {
    const transaction = record.value?.includes(needle) === true ? decisionIn(record)?.evidence?.transaction : undefined;
    if (transaction?.transactionId === transactionId && (accountId ?? transaction.accountId) === transaction.accountId)
      found.push(transaction);
  });
  return found;
}

/**
 * Reads what a transaction's decision rests on and what came of it. Decisions and state events are keyed by account: a
 * merchant's are in all partitions. The account's alerts and labels are in one.
 */
export async function readRelated(
  brokers: string,
  { accountId, merchantId }: Pick<Transaction, "accountId" | "merchantId">,
  progress: Progress,
): Promise<RelatedRecords> {
  const merchant = Buffer.from(merchantId);
  const related: Record<string, RawRecord[]> = Object.fromEntries(
    [TOPICS.decisions, TOPICS.evidence, TOPICS.alerts, TOPICS.labelsValid].map(({ name }) => [name, []]),
  );
  const topics = [
    of(TOPICS.decisions),
    of(TOPICS.evidence),
    of(TOPICS.alerts, accountId),
    of(TOPICS.labelsValid, accountId),
  ];
  const partitions = await scan(brokers, topics, progress, (record) => {
    // What only happens to hold these bytes is sorted out when it is decoded.
    if (record.key?.toString() === accountId || record.value?.includes(merchant) === true)
      related[record.topic]!.push(record);
  });
  return {
    decisions: related[TOPICS.decisions.name]!,
    evidence: related[TOPICS.evidence.name]!,
    alerts: related[TOPICS.alerts.name]!,
    labels: related[TOPICS.labelsValid.name]!,
    partitions,
  };
}

/** Whether retention has removed the beginning of any of these. */
export const isCut = (partitions: readonly ReadPartition[]): boolean => partitions.some(({ from }) => from > 0n);

const of = (
  { name, partitions }: TopicSettings,
  key?: string,
): { readonly topic: string; readonly partitions?: readonly number[] } => ({
  topic: name,
  ...(key !== undefined && { partitions: [partitionOf(key, partitions)] }),
});

function scan(
  brokers: string,
  topics: readonly { readonly topic: string; readonly partitions?: readonly number[] }[],
  progress: Progress,
  onRecord: (record: RawRecord) => void,
): Promise<ReadPartition[]> {
  let count = 0;
  return scanTopics({ brokers, topics, isolation: "read_committed", timeoutMs: READ_LIMIT_MS }, (record) => {
    if (++count % PROGRESS_RECORDS === 0) progress(`${count.toLocaleString("en")} records`);
    onRecord(record);
  });
}

/** Whose record this is, as far as it can be read: JSON or protobuf, a transaction or a label on one. */
function identityIn(
  value: Buffer,
  topic: string,
): { readonly accountId: string; readonly transactionId: string } | undefined {
  try {
    const json = JSON.parse(value.toString()) as Record<string, unknown> | null;
    const text = (field: string): string => (typeof json?.[field] === "string" ? json[field] : "");
    return { accountId: text("accountId"), transactionId: text("transactionId") };
  } catch {
    // No JSON.
  }
  try {
    return (topic === TOPICS.labels.name ? FraudLabel : Transaction).decode(value);
  } catch {
    return undefined;
  }
}
