import { TOPICS } from "../contract/topics.js";
import { withAdmin } from "../kafka/client.js";
import type { ConsumerHealth } from "../kafka/consumer-health.js";
import { followTopics, type LiveRecord } from "../kafka/consumer.js";
import { backFromEnd } from "../kafka/offsets.js";
import type { DecisionIndex } from "./decision-index.js";

/** When nothing has come for this long, what was there at the start has been read, except for transaction markers. */
const QUIET_MS = 1_000;
/** Offsets taken by markers and aborted records, in addition to the decisions to keep. */
const BACK_FACTOR = 2n;

/** Keeps a {@link DecisionIndex} up to date. */
export interface DecisionReaders {
  /** Whether it has read what was there when it began. */
  caughtUp(): boolean;
  health(): ConsumerHealth[];
  stop(): Promise<void>;
}

/**
 * Reads back the newest decisions, and follows what comes, both written and committed.
 *
 * @param keep - how many decisions to read back
 */
export async function followDecisions(
  brokers: string,
  index: DecisionIndex,
  keep: number,
  onError: (error: Error) => void,
): Promise<DecisionReaders> {
  const { name } = TOPICS.decisions;
  const offsets = await withAdmin(brokers, (admin) => admin.fetchTopicOffsets(name));
  const back = (BigInt(keep) * BACK_FACTOR) / BigInt(offsets.length);
  const from = new Map(offsets.map((limits) => [limits.partition, backFromEnd(limits, back)]));
  const behind = new Map(
    offsets
      .filter(({ partition, high }) => BigInt(high) > from.get(partition)!)
      .map(({ partition, high }) => [partition, BigInt(high)]),
  );
  let lastAtMs = Date.now();
  const seen = ({ partition, offset }: LiveRecord): void => {
    lastAtMs = Date.now();
    if (offset + 1n >= (behind.get(partition) ?? 0n)) behind.delete(partition);
  };
  const follow = (
    reader: string,
    isolation: "read_committed" | "read_uncommitted",
    onRecord: (record: LiveRecord) => void,
    onNewLog?: (topic: string, partition: number) => void,
  ) =>
    followTopics({
      brokers,
      topics: [name],
      from,
      isolation,
      onRecord,
      ...(onNewLog !== undefined && { onNewLog }),
      name: reader,
      onError,
    });
  const readers = await Promise.all([
    follow("provisional decisions", "read_uncommitted", (record) => index.onWritten(record)),
    follow(
      "committed decisions",
      "read_committed",
      (record) => {
        index.onCommitted(record);
        seen(record);
      },
      (_, partition) => {
        behind.delete(partition);
        index.onNewLog(partition);
      },
    ),
  ]);
  lastAtMs = Date.now();
  return {
    caughtUp: () => behind.size === 0 || Date.now() - lastAtMs > QUIET_MS,
    health: () => readers.map((reader) => reader.health),
    async stop() {
      await Promise.all(readers.map((reader) => reader.stop()));
    },
  };
}
