import type { IResourceConfigEntry } from "kafkajs";
import { z } from "zod";

import { RETENTION_BYTES, type TopicSettings } from "../contract/topics.js";
import { ConfigResourceTypes, withAdmin } from "../kafka/client.js";
import { retentionBytes } from "../kafka/retention.js";
import { fromEnvironment } from "../process/server-program.js";
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
  const bytes = retentionSetting();
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
          configEntries: configOf(topic, bytes),
        })),
      });
    }
    // Topics of a version without a bound, or with another one.
    const bounds = await retentionBytes(
      endpoints(settings).kafka,
      topics.map(({ name }) => name).filter((name) => existing.has(name)),
    );
    const changed = topics.filter(
      ({ name, unbounded }) => existing.has(name) && bounds.get(name) !== (unbounded ? undefined : bytes),
    );
    if (changed.length > 0)
      await admin.alterConfigs({
        validateOnly: false,
        resources: changed.map((topic) => ({
          type: ConfigResourceTypes.TOPIC,
          name: topic.name,
          configEntries: configOf(topic, bytes),
        })),
      });
    return missing.map(({ name }) => name);
  });
}

/** Half of it may wait to be decided, and Kafka removes segments of 64 MB as a whole. */
const LEAST_RETENTION_MB = 256;
const environment = z.object({
  FRAUD_RETENTION_MB: z.coerce.number().int().min(LEAST_RETENTION_MB).max(1_000_000_000).optional(),
});

/** `FRAUD_RETENTION_MB`, in bytes: how much of a partition is kept. @throws {UserError} when it is no such number */
export function retentionSetting(env: NodeJS.ProcessEnv = process.env): number {
  try {
    const { FRAUD_RETENTION_MB: megabytes } = fromEnvironment(environment, env);
    return megabytes === undefined ? RETENTION_BYTES : megabytes * 1_000_000;
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error));
  }
}

/** All of a topic's settings: what is changed later replaces them all. */
export function configOf(topic: TopicSettings, bytes: number): IResourceConfigEntry[] {
  return [
    { name: "retention.ms", value: String(topic.retentionMs) },
    ...(topic.unbounded ? [] : [{ name: "retention.bytes", value: String(bytes) }]),
    ...(topic.batchBytes === undefined ? [] : [{ name: "max.message.bytes", value: String(topic.batchBytes) }]),
    ...(topic.compacted === true ? [{ name: "cleanup.policy", value: "compact" }] : []),
    ...(topic.timestamps === "broker" ? [{ name: "message.timestamp.type", value: "LogAppendTime" }] : []),
  ];
}
