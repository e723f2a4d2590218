import { kafkaClient } from "./client.js";
import { type Cluster, clusterOf, decoder, type Encoder, encoder, readEach, skipTags } from "./raw-requests.js";

const DESCRIBE_LOG_DIRS = 35;
/** The first version that tells how much room there is. Brokers have it since Kafka 3.3. */
const VERSION = 4;

/** What a broker keeps, and the room that it has. */
export interface LogDirs {
  /** Bytes of each partition's log, by {@link partitionKey}. */
  readonly logBytes: ReadonlyMap<string, number>;
  /** Of the disk with the least room; `undefined` when the broker does not say, as before Kafka 3.3. */
  readonly disk: { readonly totalBytes: number; readonly freeBytes: number } | undefined;
}

/** The key of a partition in {@link LogDirs.logBytes}. */
export const partitionKey = (topic: string, partition: number): string => `${topic}/${partition}`;

/**
 * Asks a broker how large its logs are, for as long as a program runs. kafkajs 2.2.4 does not know this request. With
 * several brokers it is one of them: each knows its own disks only.
 */
export class LogDirsReader {
  readonly #cluster: Cluster;

  constructor(brokers: string) {
    this.#cluster = clusterOf(kafkaClient(brokers, "fraud-log-dirs", { patient: false }));
  }

  /** @throws when no broker answers, or it cannot read its logs; `undefined` from a broker that does not know it */
  async now(): Promise<LogDirs | undefined> {
    await this.#cluster.connect();
    const { versions, connectionPool } = await this.#cluster.brokerPool.findConnectedBroker();
    if ((versions[DESCRIBE_LOG_DIRS]?.maxVersion ?? 0) < VERSION) return undefined;
    return await connectionPool.send({
      request: {
        apiKey: DESCRIBE_LOG_DIRS,
        apiVersion: VERSION,
        apiName: "DescribeLogDirs",
        encode: () => Promise.resolve(logDirsRequest()),
      },
      response: { decode: (bytes) => Promise.resolve(logDirsIn(bytes)), parse: (found) => Promise.resolve(found) },
    });
  }

  async close(): Promise<void> {
    await this.#cluster.disconnect();
  }
}

/**
 * DescribeLogDirs request, version 4: the header's tagged fields; no array of topics, which means all; tagged fields.
 */
export const logDirsRequest = (): Encoder => encoder().writeUVarInt(0).writeUVarInt(0).writeUVarInt(0);

/** What a DescribeLogDirs response, version 4, tells. @throws Error when the broker could not say */
export function logDirsIn(bytes: Buffer): LogDirs {
  const from = decoder(bytes);
  const logBytes = new Map<string, number>();
  let disk: LogDirs["disk"];
  const int64 = (): number => Number(from.readInt64().toString());
  const check = (error: number): void => {
    if (error !== 0) throw new Error(`the broker cannot say how large its logs are: error ${error}`);
  };
  skipTags(from);
  from.readInt32(); // throttle_time_ms
  check(from.readInt16());
  readEach(from, () => {
    check(from.readInt16());
    from.readUVarIntString(); // log_dir
    readEach(from, () => {
      const topic = from.readUVarIntString()!;
      readEach(from, () => {
        const key = partitionKey(topic, from.readInt32());
        const size = int64();
        int64(); // offset_lag
        const isFuture = from.readBoolean();
        skipTags(from);
        if (!isFuture) logBytes.set(key, size);
      });
      skipTags(from);
    });
    const totalBytes = int64();
    const freeBytes = int64();
    skipTags(from);
    if (totalBytes >= 0 && freeBytes >= 0 && (disk === undefined || freeBytes < disk.freeBytes))
      disk = { totalBytes, freeBytes };
  });
  return { logBytes, disk };
}
