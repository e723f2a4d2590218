import { poll, type RawRecord, readTopics } from "../../cluster/index.js";
import type { ReadPartition } from "../../cluster/java-reader.js";
import { OUTPUT_TOPICS, TOPICS } from "../../cluster/settings.js";
import { PropertyCheck, type PropertyResult } from "./property.js";
import type { VerifiedRecords } from "./records.js";

const READ_LIMIT_MS = 600_000;
const OPEN_LIMIT_MS = 60_000;

/** The topics that the verifier reads, all from their beginning. */
const READ = [TOPICS.transactionsValid, TOPICS.labelsValid, ...OUTPUT_TOPICS];

/** Everything that the verifier judges, read by Kafka's own consumer. */
export interface ReadBack {
  readonly records: { readonly [Topic in keyof VerifiedRecords]: readonly RawRecord[] };
  /** Those of the output topics. */
  readonly outputs: readonly RawRecord[];
  readonly partitions: readonly ReadPartition[];
}

/** Reads what the topics hold now, committed records only, with Kafka's own consumer. */
export async function readBack(brokers: string): Promise<ReadBack> {
  const { records, partitions } = await readTopics({ brokers, topics: READ.map(({ name }) => ({ topic: name })), isolation: "read_committed", timeoutMs: READ_LIMIT_MS });
  const of = ({ name }: { readonly name: string }): RawRecord[] => records.filter(({ topic }) => topic === name);
  return {
    records: { transactions: of(TOPICS.transactionsValid), labels: of(TOPICS.labelsValid), decisions: of(TOPICS.decisions), evidence: of(TOPICS.evidence), alerts: of(TOPICS.alerts), rejected: of(TOPICS.functionsRejected) },
    outputs: records.filter(({ topic }) => OUTPUT_TOPICS.some(({ name }) => name === topic)),
    partitions,
  };
}

/** Counts what stands in the output topics, aborted records and open transactions included. */
export async function countWritten(brokers: string): Promise<number> {
  return (await readTopics({ brokers, topics: OUTPUT_TOPICS.map(({ name }) => ({ topic: name })), isolation: "read_uncommitted", timeoutMs: READ_LIMIT_MS })).records.length;
}

/**
 * Looks whether a transaction is left open on an output partition: whether committed reads pass what stands there now. A timer may
 * be writing an alert at this very moment; what hangs is what does not end within the limit, in ms.
 */
export async function noOpenTransaction(brokers: string, limitMs = OPEN_LIMIT_MS): Promise<PropertyResult> {
  const check = new PropertyCheck("no-open-transaction");
  const read = async () => (await readTopics({ brokers, topics: OUTPUT_TOPICS.map(({ name }) => ({ topic: name })), isolation: "read_committed", limit: 1, timeoutMs: READ_LIMIT_MS })).partitions;
  const wanted = await read();
  check.looked(wanted.length);
  const behind = (now: readonly ReadPartition[]) =>
    wanted.filter(({ topic, partition, highWatermark }) => now.find((one) => one.topic === topic && one.partition === partition)!.lastStableOffset < highWatermark);
  let open = behind(wanted);
  try {
    if (open.length > 0) await poll("open transactions to end", async () => (open = behind(await read())).length === 0, { timeoutMs: limitMs, intervalMs: 500 });
  } catch {
    for (const { topic, partition, lastStableOffset, highWatermark } of open) check.violation(`a transaction is open: committed reads end at ${lastStableOffset} of ${highWatermark}`, `${topic} ${partition}@${lastStableOffset}`);
  }
  return check.result;
}
