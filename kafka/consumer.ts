import type { KafkaMessage } from "kafkajs";

import type { RawRecord } from "../contract/raw-record.js";
import type { ConsumerHealth } from "./consumer-health.js";
import { LogWatch } from "./log-watch.js";
import { endOffsets, type TopicOffsets } from "./offsets.js";
import { unreadableBatch, type UnreadableBatch } from "./record-batches.js";
import { noteOf } from "./source-logs.js";
import { SupervisedConsumer } from "./supervised-consumer.js";
import type { TopicIdsByName } from "./topic-ids.js";

/** A record as a live reader sees it. */
export interface LiveRecord extends RawRecord {
  /** When it arrived here, in ms since 1970. */
  readonly arrivedAtMs: number;
}

export interface FollowOptions {
  /** `host:port` of a broker. */
  readonly brokers: string;
  readonly topics: readonly string[];
  /**
   * `end`: only what is written (or committed) after {@link followTopics} has resolved. Or where to begin in each
   * partition of the one topic, or of each topic.
   */
  readonly from: "end" | "beginning" | ReadonlyMap<number, bigint> | TopicOffsets;
  /** Default `read_committed`. */
  readonly isolation?: "read_committed" | "read_uncommitted";
  /** How long the broker may wait for {@link minBytes}, in ms. Default 50. */
  readonly maxWaitMs?: number;
  /** Under a steady load, more of it means fewer and larger answers. Default 1. */
  readonly minBytes?: number;
  readonly onRecord: (record: LiveRecord) => void;
  /**
   * Records that stand in the topic and that nobody can read. They are passed over; default: in silence, but for {@link
   * Follower.health}.
   */
  readonly onUnreadable?: (batch: UnreadableBatch & { readonly topic: string; readonly partition: number }) => void;
  /** The topic was made again: what comes next of the partition is of the new log, from its beginning. */
  readonly onNewLog?: (topic: string, partition: number) => void;
  /** Of {@link Follower.health}. Default: the topics. */
  readonly name?: string;
  /**
   * What went wrong, and is tried again; without it, what `onRecord` threw first, and what still is wrong in the end,
   * is thrown by `stop`.
   */
  readonly onError?: (error: Error) => void;
}

/** A follower of topics. */
export interface Follower {
  readonly health: ConsumerHealth;
  stop(): Promise<void>;
}

/** How often it is looked whether a topic was made again. */
const LOOK_MS = 2_000;

let readers = 0;

/**
 * Follows topics live, until it is stopped, whatever happens meanwhile; also when one is deleted and made again. Keeps
 * no offsets: each call reads for itself.
 *
 * For the eye and for latencies; proofs read with Kafka's own Java consumer.
 *
 * @returns when it reads
 * @throws when no broker answers
 */
export async function followTopics({
  brokers,
  topics,
  from,
  isolation = "read_committed",
  maxWaitMs = 50,
  minBytes = 1,
  onRecord,
  onUnreadable,
  onNewLog,
  name = topics.join(", "),
  onError,
}: FollowOptions): Promise<Follower> {
  // The next offset of each partition, and the log that it counts in. After a new join kafkajs begins anew, as no
  // offset was committed.
  const next = new Map<string, bigint>();
  const notes = new Map<string, string>();
  let assigned: readonly { readonly topic: string; readonly partition: number }[] = [];
  const logs = new LogWatch({
    brokers,
    topics,
    everyMs: LOOK_MS,
    committed: () =>
      Promise.resolve(
        assigned.map(({ topic, partition }) => ({
          topic,
          partition,
          offset: next.get(`${topic}-${partition}`) ?? 0n,
          metadata: notes.get(`${topic}-${partition}`) ?? null,
        })),
      ),
    seek: (topic, partition, offset, log) => {
      const position = `${topic}-${partition}`;
      if (notes.get(position) !== noteOf(log)) {
        notes.set(position, noteOf(log));
        next.delete(position);
        onNewLog?.(topic, partition);
      }
      consumer.seek(topic, partition, offset);
    },
  });
  let thrown: Error | undefined;
  const take = (record: LiveRecord): void => {
    try {
      onRecord(record);
    } catch (error) {
      thrown ??= error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  };
  const consumer = new SupervisedConsumer({
    brokers,
    clientId: "fraud-reader",
    name,
    topics,
    consumer: () => ({
      // Of its own each time: where it could not take its leave, as of a broker that hung, the group would wait for
      // its former member until that one's session ends.
      groupId: `fraud-reader-${process.pid}-${Date.now()}-${++readers}`,
      readUncommitted: isolation === "read_uncommitted",
      maxWaitTimeInMs: maxWaitMs,
      minBytes,
      allowAutoTopicCreation: false,
      sessionTimeout: 30_000,
      heartbeatInterval: 3_000,
      retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 1_000 },
    }),
    run: { autoCommit: false },
    onJoin: (joined, assignment) => {
      assigned = Object.entries(assignment).flatMap(([topic, partitions]) =>
        partitions.map((partition) => ({ topic, partition })),
      );
      for (const { topic, partition } of assigned) {
        const log = logsAtStart.get(topic);
        if (log !== undefined && !notes.has(`${topic}-${partition}`)) notes.set(`${topic}-${partition}`, noteOf(log));
      }
      logs.joined(assignment);
      // Before the first fetch of this membership: a topic may hold millions of records that were read or are not
      // wanted.
      for (const [position, offset] of next) {
        const dash = position.lastIndexOf("-");
        joined.seek({
          topic: position.slice(0, dash),
          partition: Number(position.slice(dash + 1)),
          offset: offset.toString(),
        });
      }
    },
    // eslint-disable-next-line @typescript-eslint/require-await -- kafkajs wants a promise
    eachBatch: async (payload) => {
      if (payload.isStale()) return;
      const { topic, partition, messages } = payload.batch;
      const arrivedAtMs = Date.now();
      const position = `${topic}-${partition}`;
      for (const message of messages) {
        const record = liveRecord(topic, partition, message, arrivedAtMs);
        if (record.offset < (next.get(position) ?? 0n)) continue;
        next.set(position, record.offset + 1n);
        const unreadable = unreadableBatch(message);
        if (unreadable === undefined) take(record);
        else onUnreadable?.({ ...unreadable, topic, partition });
      }
    },
    onError: (error) => onError?.(error),
  });
  let logsAtStart: TopicIdsByName;
  try {
    logsAtStart = await logs.ids();
    if (typeof from === "object")
      for (const [topic, partitions] of byTopic(from, topics[0]!))
        for (const [partition, offset] of partitions) next.set(`${topic}-${partition}`, offset);
    else if (from === "end")
      for (const topic of topics)
        for (const [partition, offset] of await endOffsets(brokers, topic)) next.set(`${topic}-${partition}`, offset);
    await consumer.start();
  } catch (error) {
    await logs.stop();
    throw error;
  }
  logs.start();

  return {
    get health() {
      return consumer.health;
    },
    async stop() {
      const { failing } = consumer.health;
      await consumer.stop();
      await logs.stop();
      if (onError !== undefined) return;
      if (thrown !== undefined) throw thrown;
      if (failing !== undefined) throw new Error(`the reading of ${name} failed: ${failing}`);
    },
  };
}

/** @param topic - of offsets that name none */
function byTopic(from: ReadonlyMap<number, bigint> | TopicOffsets, topic: string): TopicOffsets {
  const [first] = from.keys();
  return typeof first === "string" ? (from as TopicOffsets) : new Map([[topic, from as ReadonlyMap<number, bigint>]]);
}

function liveRecord(topic: string, partition: number, message: KafkaMessage, arrivedAtMs: number): LiveRecord {
  return {
    topic,
    partition,
    offset: BigInt(message.offset),
    timestampMs: Number(message.timestamp),
    key: message.key,
    value: message.value,
    arrivedAtMs,
  };
}
