import { withAdmin } from "../kafka/client.js";
import { UserError } from "../terminal/user-error.js";
import { endpoints } from "./endpoints.js";
import type { ClusterSettings } from "./settings.js";

/**
 * Creates the topics that do not exist yet.
 *
 * @param startOver - the command that deletes them, for the message
 * @returns the names of those that were created
 * @throws {UserError} when a topic has a different number of partitions from what it should: keys would go elsewhere
 */
export async function createTopics(
  settings: ClusterSettings,
  startOver = `npm run cluster -- down --name ${settings.name} --wipe`,
): Promise<string[]> {
  const { ingressTopics, outputTopics, otherTopics = [] } = settings.application;
  const topics = [...ingressTopics, ...outputTopics, ...otherTopics];
  return await withAdmin(endpoints(settings).kafka, async (admin) => {
    const existing = new Set(await admin.listTopics());
    const { topics: known } = await admin.fetchTopicMetadata({
      topics: topics.map(({ name }) => name).filter((name) => existing.has(name)),
    });
    for (const { name, partitions } of known) {
      const wanted = topics.find((topic) => topic.name === name)!.partitions;
      if (partitions.length !== wanted)
        throw new UserError(
          `topic ${name} has ${partitions.length} partitions, not ${wanted}. Start over with: ${startOver}`,
        );
    }
    const missing = topics.filter(({ name }) => !existing.has(name));
    if (missing.length > 0) {
      await admin.createTopics({
        waitForLeaders: true,
        topics: missing.map((topic) => ({
          topic: topic.name,
          numPartitions: topic.partitions,
          replicationFactor: 1,
          configEntries: [
            { name: "retention.ms", value: String(topic.retentionMs) },
            ...(topic.batchBytes === undefined ? [] : [{ name: "max.message.bytes", value: String(topic.batchBytes) }]),
            ...(topic.compacted === true ? [{ name: "cleanup.policy", value: "compact" }] : []),
            ...(topic.timestamps === "broker" ? [{ name: "message.timestamp.type", value: "LogAppendTime" }] : []),
          ],
        })),
      });
    }
    return missing.map(({ name }) => name);
  });
}
