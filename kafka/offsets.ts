import { withAdmin } from "./client.js";
import { lagIn } from "./group-lag.js";

/** An offset for each partition of each topic. */
export type TopicOffsets = ReadonlyMap<string, ReadonlyMap<number, bigint>>;

/** Where each partition of a topic ends now: the offset that its next record gets. */
export async function endOffsets(brokers: string, topic: string): Promise<Map<number, bigint>> {
  return (await topicEnds(brokers, [topic])).get(topic)!;
}

/** Where each partition of some topics ends now. */
export async function topicEnds(brokers: string, topics: readonly string[]): Promise<Map<string, Map<number, bigint>>> {
  return await withAdmin(brokers, async (admin) => {
    const ends = async (topic: string) =>
      new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, BigInt(high)]));
    return new Map(
      await Promise.all(
        topics.map(async (topic): Promise<[string, Map<number, bigint>]> => [topic, await ends(topic)]),
      ),
    );
  });
}

/**
 * The offset this many before a partition's end, or where the partition begins.
 *
 * @param limits - as kafkajs tells them
 */
export function backFromEnd({ low, high }: { readonly low: string; readonly high: string }, count: bigint): bigint {
  const from = BigInt(high) - count;
  return from > BigInt(low) ? from : BigInt(low);
}

/** How many offsets of some topics a consumer group has yet to read, by what it has committed. */
export async function lagOf(brokers: string, groupId: string, topics: readonly string[]): Promise<bigint> {
  return await withAdmin(brokers, async (admin) => {
    const committed = await admin.fetchOffsets({ groupId, topics: [...topics] });
    let lag = 0n;
    for (const topic of topics) {
      const read = committed.find((one) => one.topic === topic)?.partitions ?? [];
      for (const { offsets } of lagIn(groupId, topic, read, await admin.fetchTopicOffsets(topic))) lag += offsets;
    }
    return lag;
  });
}
