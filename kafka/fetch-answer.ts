import type { AbortedTransaction } from "./filter-aborted.js";
import { type FetchedRecord, readBatches } from "./record-batches.js";
import { WireReader } from "./wire-reader.js";

/** The version of Kafka's fetch protocol that is read here: brokers have it since Kafka 2.3. */
export const FETCH_VERSION = 11;

/** What was asked for, as kafkajs has it. */
export type FetchedTopics = readonly {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly fetchOffset: string }[];
}[];

/** One partition's share of a fetch answer, as kafkajs has it. */
export interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  readonly lastStableOffset: string;
  readonly lastStartOffset: string;
  readonly abortedTransactions: readonly AbortedTransaction[];
  readonly preferredReadReplica: number;
  readonly messages: readonly FetchedRecord[];
}

/** A fetch answer, as kafkajs has it. */
export interface FetchAnswer {
  readonly throttleTime: number;
  readonly clientSideThrottleTime: number;
  readonly errorCode: number;
  readonly sessionId: number;
  readonly responses: readonly { readonly topicName: string; readonly partitions: readonly FetchedPartition[] }[];
}

/**
 * Reads a fetch answer in the place of kafkajs, which knows one codec, unpacks whatever there is, and fails at one bad
 * batch with all partitions for good.
 *
 * @param asked - where the reading of each partition begins
 */
export async function readFetchAnswer(bytes: Buffer, asked: FetchedTopics): Promise<FetchAnswer> {
  const reader = new WireReader(bytes);
  const head = {
    throttleTime: 0,
    clientSideThrottleTime: reader.int32(),
    errorCode: reader.int16(),
    sessionId: reader.int32(),
  };
  const raw = reader.array(() => ({
    topicName: reader.string(),
    partitions: reader.array(() => ({
      partition: reader.int32(),
      errorCode: reader.int16(),
      highWatermark: reader.int64().toString(),
      lastStableOffset: reader.int64().toString(),
      lastStartOffset: reader.int64().toString(),
      abortedTransactions: reader.array(() => ({
        producerId: reader.int64().toString(),
        firstOffset: reader.int64().toString(),
      })),
      preferredReadReplica: reader.int32(),
      batches: reader.bytes() ?? Buffer.alloc(0),
    })),
  }));
  const responses = [];
  for (const { topicName, partitions } of raw) {
    const offsets = asked.find(({ topic }) => topic === topicName)?.partitions ?? [];
    const read: FetchedPartition[] = [];
    // One after the other: each may unpack a few megabytes.
    for (const { batches, ...partition } of partitions) {
      const from = offsets.find((one) => one.partition === partition.partition)?.fetchOffset ?? "0";
      read.push({ ...partition, messages: batches.length === 0 ? [] : await readBatches(batches, BigInt(from)) });
    }
    responses.push({ topicName, partitions: read });
  }
  return { ...head, responses };
}
