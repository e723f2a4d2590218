import { ConfigResourceTypes, withAdmin } from "./client.js";

const SETTING = "retention.bytes";

/** How many bytes Kafka keeps of each partition of these topics; those without such a bound are not there. */
export async function retentionBytes(brokers: string, topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
  // Kafka takes no topics to be a mistake.
  if (topics.length === 0) return new Map();
  const { resources } = await withAdmin(brokers, (admin) =>
    admin.describeConfigs({
      includeSynonyms: false,
      resources: topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name, configNames: [SETTING] })),
    }),
  );
  return new Map(
    resources.flatMap(({ resourceName, configEntries }) => {
      const bytes = Number(configEntries.find(({ configName }) => configName === SETTING)?.configValue ?? -1);
      return bytes > 0 ? [[resourceName, bytes] as const] : [];
    }),
  );
}
