import type { RawRecord } from "../../contract/raw-record.js";
import { OUTPUT_TOPICS, TOPICS } from "../../contract/topics.js";
import { followByJava, type ReadPartition } from "../../java/java-reader.js";
import { followTopics } from "../../kafka/consumer.js";
import { Decision } from "../../protos/gen/fraud/v1/decision.js";
import { Any } from "../../protos/gen/google/protobuf/any.js";
import type { PropertyResult } from "../../verifier/property.js";
import { contentOf, ContentTable } from "./content-table.js";
import { kafkajsAgrees, readersAgree, type RunNotes } from "./properties.js";

/** Longer than any run. */
const FOLLOW_LIMIT_MS = 24 * 3_600_000;

/**
 * Watches a run while it goes on: with this project's readers for the times, and Kafka's own beside them for the proof.
 */
export interface Watch {
  /** When each transaction's committed decision was first read, by its number; 0: not yet. In ms since 1970. */
  readonly committedAtMs: Float64Array;
  /** The same for decisions that may not be final. */
  readonly visibleAtMs: Float64Array;
  /** Transactions with a committed decision. */
  decided(): number;
  /** The latest time at which the account counter took a transaction whose decision is committed. */
  lastCountedAtMs(): number;
  /** Ends the readers and compares what they read with what a fresh reader has read, and how far. */
  stop(fresh: Pick<RunNotes, "outputs" | "decisions">, partitions: readonly ReadPartition[]): Promise<PropertyResult[]>;
  /** Ends the readers, whatever they have yet to read: nothing will be judged any more. */
  abandon(): Promise<void>;
}

export interface WatchOptions {
  readonly brokers: string;
  readonly runId: string;
  /** Greater than every transaction's number. */
  readonly transactions: number;
  /** Whether decisions that are not committed yet are watched for too. */
  readonly firstVisible: boolean;
}

/** Begins to watch a run, before its load begins: what is committed from now on gets the time at which it is read. */
export async function watchRun({ brokers, runId, transactions, firstVisible }: WatchOptions): Promise<Watch> {
  const committedAtMs = new Float64Array(transactions);
  const visibleAtMs = new Float64Array(transactions);
  let decided = 0;
  let lastCounted = 0;
  const numberOf = (value: Buffer): { n: number; countedAtMs: number } | undefined => {
    const { evidence, timing } = Decision.decode(Any.decode(value).value);
    const id = evidence!.transaction!.transactionId;
    return id.startsWith(`${runId}-`)
      ? { n: Number(id.slice(runId.length + 1)), countedAtMs: Number(timing?.countedAtMs ?? 0n) }
      : undefined;
  };
  const seenByKafkajs = new ContentTable();
  const follow = (
    isolation: "read_committed" | "read_uncommitted",
    onDecision: (record: RawRecord, n: number, countedAtMs: number, arrivedAtMs: number) => void,
  ) =>
    followTopics({
      brokers,
      topics: [TOPICS.decisions.name],
      from: "beginning",
      isolation,
      onRecord: (record) => {
        const found = record.value && numberOf(record.value);
        if (found) onDecision(record, found.n, found.countedAtMs, record.arrivedAtMs);
      },
    });
  const readers = [
    await follow("read_committed", (record, n, countedAtMs, arrivedAtMs) => {
      seenByKafkajs.set(record, 1n);
      lastCounted = Math.max(lastCounted, countedAtMs);
      if (committedAtMs[n]! > 0) return;
      committedAtMs[n] = arrivedAtMs;
      decided++;
    }),
    ...(firstVisible
      ? [
          await follow("read_uncommitted", (_, n, __, arrivedAtMs) => {
            if (visibleAtMs[n] === 0) visibleAtMs[n] = arrivedAtMs;
          }),
        ]
      : []),
  ];
  const seenByJava = new ContentTable();
  const java = followByJava(
    {
      brokers,
      topics: OUTPUT_TOPICS.map(({ name }) => ({ topic: name })),
      isolation: "read_committed",
      timeoutMs: FOLLOW_LIMIT_MS,
    },
    (record) => seenByJava.set(record, contentOf(record)),
  );

  return {
    async abandon() {
      java.kill();
      await Promise.allSettled(readers.map((reader) => reader.stop()));
    },
    committedAtMs,
    visibleAtMs,
    decided: () => decided,
    lastCountedAtMs: () => lastCounted,
    async stop(fresh, partitions) {
      await Promise.all([java.stop(), ...readers.map((reader) => reader.stop())]);
      const ends = new Map(
        partitions.map(({ topic, partition, lastStableOffset }) => [`${topic} ${partition}`, lastStableOffset]),
      );
      // A timer may have raised an alert since the fresh reader came to its end.
      const within = ({ topic, partition, offset }: Pick<RawRecord, "topic" | "partition" | "offset">): boolean =>
        offset < ends.get(`${topic} ${partition}`)!;
      return [readersAgree(seenByJava, fresh.outputs, within), kafkajsAgrees(seenByKafkajs, fresh.decisions, within)];
    },
  };
}
