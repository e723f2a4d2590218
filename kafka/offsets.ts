import { withAdmin } from "./client.js";

/** Where each partition of a topic ends now: the offset that its next record gets. */
export async function endOffsets(brokers: string, topic: string): Promise<Map<number, bigint>> {
  return await withAdmin(brokers, async (admin) => new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, BigInt(high)])));
}
