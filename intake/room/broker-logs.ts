import type { Admin, DescribeConfigResponse } from "kafkajs";

import { ConfigResourceTypes, kafkaClient } from "../../kafka/client.js";
import { type LogDirsReader, partitionKey } from "../../kafka/log-dirs.js";
import type { KeptLogs } from "./log-cutter.js";

const RETENTION_BYTES = "retention.bytes";
const SEGMENT_BYTES = "segment.bytes";
const CHECK_MS = "log.retention.check.interval.ms";

export interface BrokerLogsOptions {
  readonly brokers: string;
  readonly logDirs: Pick<LogDirsReader, "now">;
  /**
   * The topics where strangers write, each with the one whose `retention.bytes` bounds it as well. It has none itself,
   * for the broker removes what is beyond that, read or not.
   */
  readonly topics: readonly { readonly topic: string; readonly boundedAs: string }[];
}

/** For a {@link LogCutter}: knows what a broker keeps, and has it remove records. */
export class BrokerLogs {
  readonly #options: BrokerLogsOptions;
  readonly #admin: Admin;
  #connected = false;

  constructor(options: BrokerLogsOptions) {
    this.#options = options;
    this.#admin = kafkaClient(options.brokers, "fraud-log-cutter", { patient: false }).admin();
  }

  /** Undefined from a broker that does not tell how large its logs are. @throws when none answers */
  async now(): Promise<KeptLogs | undefined> {
    await this.#connect();
    const { topics, logDirs } = this.#options;
    // First the sizes: what comes in between then counts as nothing.
    const dirs = await logDirs.now();
    if (dirs === undefined) return undefined;
    const { checkMs, numberOf } = await this.#settings();
    const logs = topics.map(async ({ topic, boundedAs }) =>
      (await this.#admin.fetchTopicOffsets(topic)).flatMap(({ partition, low, high }) => {
        const bytes = dirs.logBytes.get(partitionKey(topic, partition));
        const segmentBytes = numberOf(topic, SEGMENT_BYTES);
        // Another broker's, whose disks this one does not know.
        if (bytes === undefined || segmentBytes === undefined) return [];
        const [begin, end] = [BigInt(low), BigInt(high)];
        return [
          { topic, partition, begin, end, bytes, segmentBytes, boundBytes: numberOf(boundedAs, RETENTION_BYTES) },
        ];
      }),
    );
    return { checkMs, logs: (await Promise.all(logs)).flat() };
  }

  /** Has the broker remove what is before an offset. @throws when it does not */
  async cut(topic: string, partition: number, offset: bigint): Promise<void> {
    await this.#connect();
    await this.#admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
  }

  async close(): Promise<void> {
    await this.#admin.disconnect();
  }

  async #connect(): Promise<void> {
    if (!this.#connected) await this.#admin.connect();
    this.#connected = true;
  }

  async #settings(): Promise<ReturnType<typeof settingsIn>> {
    const { controller, brokers } = await this.#admin.describeCluster();
    const broker = controller ?? brokers[0]!.nodeId;
    const topics = this.#options.topics.flatMap(({ topic, boundedAs }) => [topic, boundedAs]);
    const { resources } = await this.#admin.describeConfigs({
      includeSynonyms: false,
      resources: [
        { type: ConfigResourceTypes.BROKER, name: String(broker), configNames: [CHECK_MS] },
        ...topics.map((name) => ({
          type: ConfigResourceTypes.TOPIC,
          name,
          configNames: [RETENTION_BYTES, SEGMENT_BYTES],
        })),
      ],
    });
    return settingsIn(resources);
  }
}

/** @throws Error when the broker does not tell how often it looks: then nobody knows what its sizes mean */
export function settingsIn(resources: DescribeConfigResponse["resources"]): {
  readonly checkMs: number;
  /** A topic's setting; undefined when it has none. */
  readonly numberOf: (topic: string, setting: string) => number | undefined;
} {
  const valueIn = (resource: (typeof resources)[number] | undefined, setting: string): number | undefined => {
    const value = Number(resource?.configEntries.find(({ configName }) => configName === setting)?.configValue ?? -1);
    return value > 0 ? value : undefined;
  };
  const broker = resources.find(({ resourceType }) => resourceType === ConfigResourceTypes.BROKER);
  const checkMs = valueIn(broker, CHECK_MS);
  if (checkMs === undefined) throw new Error(`the broker does not tell its ${CHECK_MS}`);
  return {
    checkMs,
    numberOf: (topic, setting) =>
      valueIn(
        resources.find(
          ({ resourceType, resourceName }) => resourceType === ConfigResourceTypes.TOPIC && resourceName === topic,
        ),
        setting,
      ),
  };
}
