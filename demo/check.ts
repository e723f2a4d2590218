import type { RawRecord } from "../contract/raw-record.js";
import { TOPICS } from "../contract/topics.js";
import { readTopics } from "../java/java-reader.js";
import type { TopicOffsets } from "../kafka/offsets.js";
import { Alert, Alert_Kind } from "../protos/gen/fraud/v1/evidence.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import { type Judgement, judgeRun } from "../verifier/judge.js";

const READ_LIMIT_MS = 300_000;
const READ_TOPICS = [TOPICS.transactionsValid, TOPICS.decisions, TOPICS.alerts, TOPICS.functionsRejected] as const;

/** The names of the topics that {@link checkRun} reads. */
export const checkedTopics: readonly string[] = READ_TOPICS.map(({ name }) => name);

/**
 * Reads what a run left in the topics, with Kafka's own consumer and `read_committed`, and judges it.
 *
 * @param starts - where each topic stood before the run
 * @returns the judgement, and how many episodes were opened or escalated
 */
export async function checkRun(
  brokers: string,
  runId: string,
  starts: TopicOffsets,
): Promise<{ judgement: Judgement; alerts: number }> {
  const { records } = await readTopics({
    brokers,
    topics: checkedTopics.map((topic) => ({ topic, from: starts.get(topic) ?? new Map<number, bigint>() })),
    isolation: "read_committed",
    timeoutMs: READ_LIMIT_MS,
  });
  const of = ({ name }: { name: string }): RawRecord[] => records.filter(({ topic }) => topic === name);
  const belongs = (accountId: string): boolean => accountId.startsWith(`${runId}-`);
  const judgement = judgeRun(
    {
      transactions: of(TOPICS.transactionsValid),
      decisions: of(TOPICS.decisions),
      rejected: of(TOPICS.functionsRejected),
    },
    belongs,
  );
  const alerts = of(TOPICS.alerts).map(({ value }) => Alert.decode(Any.decode(value!).value));
  return {
    judgement,
    alerts: alerts.filter(({ accountId, kind }) => belongs(accountId) && kind !== Alert_Kind.CLOSED).length,
  };
}
