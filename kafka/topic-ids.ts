import { kafkaClient } from "./client.js";
import { type Cluster, clusterOf, decoder, type Encoder, encoder, readEach, skipTags } from "./raw-requests.js";

const METADATA = 3;
/** The first version of the request that tells topics' ids. Brokers have it since Kafka 2.8. */
const VERSION = 10;
const ID_BYTES = 16;
const UNKNOWN_TOPIC = 3;

/**
 * Kafka's ids of topics by their names: 16 bytes; of no bytes from a broker that gives none. A topic that is not there
 * is not among them.
 */
export type TopicIdsByName = ReadonlyMap<string, Buffer>;

/**
 * Asks brokers for the ids of topics, for as long as a program runs.
 *
 * An id names one log: Kafka draws it by chance when a topic is made, keeps it as long as the topic lives, and never
 * gives it again. kafkajs 2.2.4 asks for metadata in version 6 at most, in which topics have only names; so this sends
 * one request of a later version, by kafkajs' own connections (with their encryption, names and passwords).
 */
export class TopicIds {
  readonly #cluster: Cluster;
  readonly #topics: readonly string[];
  #asking: Promise<TopicIdsByName> | undefined;
  #next: Promise<TopicIdsByName> | undefined;

  /** @param topics - whose ids {@link now} tells */
  constructor(brokers: string, topics: readonly string[]) {
    this.#cluster = clusterOf(kafkaClient(brokers, "fraud-topic-ids", { patient: false }));
    this.#topics = topics;
  }

  /**
   * The ids as they are after this call: whatever was fetched before it came from these logs or from older ones. Those
   * who ask while a question is under way share the next one.
   *
   * @throws when no broker answers
   */
  async now(): Promise<TopicIdsByName> {
    if (this.#asking === undefined) return await this.#begin();
    this.#next ??= this.#asking
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#begin();
      });
    return await this.#next;
  }

  async close(): Promise<void> {
    await this.#asking?.catch(() => undefined);
    await this.#cluster.disconnect();
  }

  #begin(): Promise<TopicIdsByName> {
    const asking = this.#ask().finally(() => (this.#asking = undefined));
    this.#asking = asking;
    return asking;
  }

  async #ask(): Promise<TopicIdsByName> {
    await this.#cluster.connect();
    const { versions, connectionPool } = await this.#cluster.brokerPool.findConnectedBroker();
    if ((versions[METADATA]?.maxVersion ?? 0) < VERSION)
      return new Map(this.#topics.map((name) => [name, Buffer.alloc(0)]));
    return await connectionPool.send({
      request: {
        apiKey: METADATA,
        apiVersion: VERSION,
        apiName: "Metadata",
        encode: () => Promise.resolve(topicIdsRequest(this.#topics)),
      },
      response: { decode: (bytes) => Promise.resolve(topicIdsIn(bytes)), parse: (ids) => Promise.resolve(ids) },
    });
  }
}

/**
 * Metadata request, version 10: the header's tagged fields, which kafkajs leaves to the request; the topics, each with
 * no id, its name and tagged fields; whether to make topics that are not there, and whether to tell what one may do
 * with the cluster and the topics.
 */
export function topicIdsRequest(topics: readonly string[]): Encoder {
  const named = topics.map((name) => {
    const topic = encoder();
    topic.writeBufferInternal(Buffer.alloc(ID_BYTES));
    return topic.writeUVarIntString(name).writeUVarInt(0);
  });
  return encoder()
    .writeUVarInt(0)
    .writeUVarIntArray(named)
    .writeBoolean(false)
    .writeBoolean(false)
    .writeBoolean(false)
    .writeUVarInt(0);
}

/**
 * The ids in a Metadata response, version 10.
 *
 * @throws Error when the broker could not say, for another reason than that a topic is not there
 */
export function topicIdsIn(bytes: Buffer): TopicIdsByName {
  const from = decoder(bytes);
  const tags = (): void => skipTags(from);
  const each = (read: () => void): void => readEach(from, read);
  const nodes = (): void => each(() => void from.readInt32());
  const ids = new Map<string, Buffer>();
  tags();
  from.readInt32(); // throttle_time_ms
  each(() => {
    from.readInt32(); // node_id
    from.readUVarIntString(); // host
    from.readInt32(); // port
    from.readUVarIntString(); // rack
    tags();
  });
  from.readUVarIntString(); // cluster_id
  from.readInt32(); // controller_id
  each(() => {
    const error = from.readInt16();
    const name = from.readUVarIntString()!;
    const id = Buffer.from(from.buffer.subarray(from.offset, from.offset + ID_BYTES));
    from.offset += ID_BYTES;
    from.readBoolean(); // is_internal
    each(() => {
      from.readInt16(); // error_code
      from.readInt32(); // partition_index
      from.readInt32(); // leader_id
      from.readInt32(); // leader_epoch
      nodes(); // replica_nodes
      nodes(); // isr_nodes
      nodes(); // offline_replicas
      tags();
    });
    from.readInt32(); // topic_authorized_operations
    tags();
    if (error === UNKNOWN_TOPIC) return;
    if (error !== 0) throw new Error(`the broker cannot say which log topic ${name} is: error ${error}`);
    ids.set(name, id.every((byte) => byte === 0) ? Buffer.alloc(0) : id);
  });
  return ids;
}
