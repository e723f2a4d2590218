import { TOPICS } from "../contract/topics.js";
import { withAdmin } from "../kafka/client.js";
import type { ConsumerHealth } from "../kafka/consumer-health.js";
import { followTopics } from "../kafka/consumer.js";
import type { ModelsInForceIndex } from "./models-in-force.js";

/** Follows the topic `models`. */
export interface ModelsReader {
  readonly health: ConsumerHealth;
  /** Resolves when all that stood there at the start has been read. */
  readonly caughtUp: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Reads which models are in force, and follows changes.
 *
 * @param onError - is told of records that say nothing: they are passed over
 */
export async function followModels(
  brokers: string,
  index: ModelsInForceIndex,
  onError: (error: Error) => void,
): Promise<ModelsReader> {
  const { name } = TOPICS.models;
  const limits = await withAdmin(brokers, (admin) => admin.fetchTopicOffsets(name));
  /** Where each partition ended that has not been read so far. */
  const behind = new Map(
    limits
      .filter(({ low, high }) => BigInt(high) > BigInt(low))
      .map(({ partition, high }) => [partition, BigInt(high)] as const),
  );
  let resolve: () => void;
  const caughtUp = new Promise<void>((done) => (resolve = done));
  const seen = (partition: number, nextOffset: bigint): void => {
    if (nextOffset >= (behind.get(partition) ?? 0n)) gone(partition);
  };
  const gone = (partition?: number): void => {
    if (partition !== undefined) behind.delete(partition);
    if (behind.size > 0) return;
    index.caughtUp();
    resolve();
  };
  const follower = await followTopics({
    brokers,
    topics: [name],
    from: "beginning",
    onRecord: (record) => {
      try {
        index.onRecord(record);
      } catch (error) {
        onError(error instanceof Error ? error : new Error(String(error)));
      }
      seen(record.partition, record.offset + 1n);
    },
    onUnreadable: ({ partition, lastOffset }) => seen(partition, lastOffset + 1n),
    onNewLog: (_, partition) => {
      index.onNewLog();
      gone(partition);
    },
    name: "models in force",
    onError,
  });
  gone();
  return {
    get health() {
      return follower.health;
    },
    caughtUp,
    stop: () => follower.stop(),
  };
}
