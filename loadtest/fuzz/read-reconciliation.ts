import { TOPICS } from "../../contract/topics.js";
import { readTopics } from "../../java/java-reader.js";
import { topicEnds, type TopicOffsets } from "../../kafka/offsets.js";
import { reconcile, type IntakeRecords } from "./reconciliation.js";

const READ_LIMIT_MS = 300_000;
const READ = [
  TOPICS.transactions,
  TOPICS.labels,
  TOPICS.transactionsValid,
  TOPICS.labelsValid,
  TOPICS.transactionsRejected,
  TOPICS.labelsRejected,
  TOPICS.decisions,
  TOPICS.functionsRejected,
];

/** Where the topics end now: {@link readReconciliation} begins there. */
export const intakeStarts = (brokers: string): Promise<TopicOffsets> =>
  topicEnds(
    brokers,
    READ.map(({ name }) => name),
  );

/** Reads what came since with Kafka's own consumer, committed records only, and finds every sent one again. */
export async function readReconciliation(
  brokers: string,
  starts: TopicOffsets,
): Promise<ReturnType<typeof reconcile> & { readonly records: IntakeRecords }> {
  const all = await readTopics({
    brokers,
    topics: [...starts].map(([topic, from]) => ({ topic, from })),
    isolation: "read_committed",
    timeoutMs: READ_LIMIT_MS,
  });
  const of = (...wanted: readonly { readonly name: string }[]) =>
    all.records.filter(({ topic }) => wanted.some(({ name }) => name === topic));
  const records: IntakeRecords = {
    sent: of(TOPICS.transactions, TOPICS.labels),
    validTransactions: of(TOPICS.transactionsValid),
    validLabels: of(TOPICS.labelsValid),
    rejected: of(TOPICS.transactionsRejected, TOPICS.labelsRejected),
    decisions: of(TOPICS.decisions),
    functionsRejected: of(TOPICS.functionsRejected),
  };
  return { ...reconcile(records), records };
}
