import { followTopics } from "../../kafka/consumer.js";
import { topicEnds } from "../../kafka/offsets.js";
import { poll } from "../../process/poll.js";

/** Long enough to read far past aborted transactions. */
const LOOK_MS = 20_000;

/**
 * Whether topics hold a committed record. For use where there is no Java; proofs read with Kafka's own consumer.
 *
 * @param brokers - `host:port` of a broker
 */
export async function holdsCommittedRecord(brokers: string, topics: readonly string[]): Promise<boolean> {
  const ends = await topicEnds(brokers, topics);
  if ([...ends.values()].every((partitions) => [...partitions.values()].every((end) => end === 0n))) return false;
  let found = false;
  const reader = await followTopics({ brokers, topics, from: "beginning", onRecord: () => (found = true) });
  try {
    await poll("a committed record", () => found, { timeoutMs: LOOK_MS });
    return true;
  } catch {
    return false;
  } finally {
    await reader.stop();
  }
}
