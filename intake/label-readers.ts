import { TOPICS } from "../contract/topics.js";
import { withAdmin } from "../kafka/client.js";
import { type Follower, followTopics } from "../kafka/consumer.js";
import { backFromEnd } from "../kafka/offsets.js";
import type { LabelIndex } from "./label-index.js";

const READ = [TOPICS.evidence.name, TOPICS.functionsRejected.name];
/**
 * Offsets taken by markers, aborted records and whatever is not a label, in addition to the outcomes to keep.
 */
const BACK_FACTOR = 2n;

/**
 * Reads back the outcomes of the newest labels, and follows new ones, from committed records only.
 *
 * @param keep - how many outcomes to read back
 */
export async function followLabels(
  brokers: string,
  index: LabelIndex,
  keep: number,
  onError: (error: Error) => void,
): Promise<Follower> {
  const from = await withAdmin(brokers, async (admin) => {
    const ends = await Promise.all(READ.map(async (topic) => [topic, await admin.fetchTopicOffsets(topic)] as const));
    return new Map(
      ends.map(([topic, offsets]) => {
        const back = (BigInt(keep) * BACK_FACTOR) / BigInt(offsets.length);
        return [topic, new Map(offsets.map((limits) => [limits.partition, backFromEnd(limits, back)]))];
      }),
    );
  });
  return await followTopics({
    brokers,
    topics: READ,
    from,
    onRecord: (record) => index.onRecord(record),
    name: "outcomes of labels",
    onError,
  });
}
