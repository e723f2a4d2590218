import type { KafkaMessage } from "kafkajs";

import type { RawRecord } from "../cluster/java-reader.js";
import { kafkaClient } from "./client.js";
import { endOffsets, type TopicOffsets } from "./offsets.js";

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
   * `end`: only what is written (or committed) after {@link followTopics} has resolved. Or where to begin in each partition of
   * the one topic, or of each topic.
   */
  readonly from: "end" | "beginning" | ReadonlyMap<number, bigint> | TopicOffsets;
  /** Default `read_committed`. */
  readonly isolation?: "read_committed" | "read_uncommitted";
  /** How long the broker may wait for {@link minBytes}, in ms. Default 50. */
  readonly maxWaitMs?: number;
  /** Under a steady load, more of it means fewer and larger answers. Default 1. */
  readonly minBytes?: number;
  readonly onRecord: (record: LiveRecord) => void;
  /** What ended the reading for good; without it the error is thrown by `stop`. */
  readonly onCrash?: (error: Error) => void;
}

let readers = 0;

/**
 * Follows topics live. Keeps no offsets: each call reads for itself.
 *
 * For the eye and for latencies; proofs read with Kafka's own Java consumer.
 */
export async function followTopics({ brokers, topics, from, isolation = "read_committed", maxWaitMs = 50, minBytes = 1, onRecord, onCrash }: FollowOptions): Promise<{ stop(): Promise<void> }> {
  // The next offset of each partition. After a new join kafkajs begins anew, as no offset was committed.
  const next = new Map<string, bigint>();
  if (typeof from === "object") for (const [topic, partitions] of byTopic(from, topics[0]!)) for (const [partition, offset] of partitions) next.set(`${topic}-${partition}`, offset);
  else if (from === "end") for (const topic of topics) for (const [partition, offset] of await endOffsets(brokers, topic)) next.set(`${topic}-${partition}`, offset);
  const consumer = kafkaClient(brokers, "fraud-reader").consumer({
    groupId: `fraud-reader-${process.pid}-${Date.now()}-${++readers}`,
    readUncommitted: isolation === "read_uncommitted",
    maxWaitTimeInMs: maxWaitMs,
    minBytes,
    sessionTimeout: 30_000,
    heartbeatInterval: 3_000,
    retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 1_000 },
  });
  const joined = new Promise<void>((resolve) =>
    consumer.on("consumer.group_join", () => {
      // Before the first fetch of this membership: a topic may hold millions of records that were read or are not wanted.
      for (const [position, offset] of next) {
        const dash = position.lastIndexOf("-");
        consumer.seek({ topic: position.slice(0, dash), partition: Number(position.slice(dash + 1)), offset: offset.toString() });
      }
      resolve();
    }),
  );
  let crash: Error | undefined;
  consumer.on("consumer.crash", ({ payload }) => {
    if (payload.restart) return;
    crash = payload.error;
    onCrash?.(payload.error);
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    // eslint-disable-next-line @typescript-eslint/require-await -- kafkajs wants a promise
    eachBatch: async ({ batch }) => {
      const arrivedAtMs = Date.now();
      const position = `${batch.topic}-${batch.partition}`;
      for (const message of batch.messages) {
        const record = liveRecord(batch.topic, batch.partition, message, arrivedAtMs);
        if (record.offset < (next.get(position) ?? 0n)) continue;
        next.set(position, record.offset + 1n);
        onRecord(record);
      }
    },
  });
  await joined;

  return {
    async stop() {
      await consumer.disconnect();
      if (crash !== undefined && onCrash === undefined) throw crash;
    },
  };
}

/** @param topic - of offsets that name none */
function byTopic(from: ReadonlyMap<number, bigint> | TopicOffsets, topic: string): TopicOffsets {
  const [first] = from.keys();
  return typeof first === "string" ? (from as TopicOffsets) : new Map([[topic, from as ReadonlyMap<number, bigint>]]);
}

function liveRecord(topic: string, partition: number, message: KafkaMessage, arrivedAtMs: number): LiveRecord {
  return { topic, partition, offset: BigInt(message.offset), timestampMs: Number(message.timestamp), key: message.key, value: message.value, arrivedAtMs };
}
