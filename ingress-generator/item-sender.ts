import type { Message, Producer } from "kafkajs";

import { LIMITS } from "../contract/limits.js";
import { TOPICS } from "../contract/topics.js";
import { kafkaClient, Partitioners, withAdmin } from "../kafka/client.js";
import { FraudLabel, Transaction } from "../protos/gen/fraud/v1/transaction.js";
import { UserError } from "../terminal/user-error.js";
import type { SimulatedItem } from "./simulator.js";

/** Which topics are written: `public` through the intake like everybody, or `valid` past it. */
export type GeneratorTarget = "public" | "valid";

/** Of one request to Kafka. All of it may be for one partition, and a `*.valid` topic takes no larger batch. */
const MAX_SEND_BYTES: Readonly<Record<GeneratorTarget, number>> = {
  public: 256 * 1024,
  valid: LIMITS.recordBytes - 4 * 1024,
};
/** A record's length, timestamp and headers in a batch, at most. */
const RECORD_OVERHEAD_BYTES = 32;

/** Sends transactions and labels, each once and in order, a request at a time. */
export class ItemSender {
  readonly #producer: Producer;
  readonly #target: GeneratorTarget;
  #batch = new Map<string, Message[]>();
  #bytes = 0;

  /** @throws {UserError} when Kafka is not there, or is another one */
  static async connect(brokers: string, target: GeneratorTarget): Promise<ItemSender> {
    await requireTopics(brokers, Object.values(TARGETS[target]));
    const producer = kafkaClient(brokers, "fraud-generator").producer({
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    return new ItemSender(producer, target);
  }

  private constructor(producer: Producer, target: GeneratorTarget) {
    this.#producer = producer;
    this.#target = target;
  }

  /** Whether no more may be added before {@link flush}. */
  get isFull(): boolean {
    return this.#bytes >= MAX_SEND_BYTES[this.#target];
  }

  /** @param timestampMs - the record's, in ms since 1970 */
  add(item: SimulatedItem, timestampMs: number): void {
    const topic = topicOf(item, this.#target);
    const record = { key: item.message.accountId, value: encodeItem(item), timestamp: String(timestampMs) };
    const records = this.#batch.get(topic);
    if (records === undefined) this.#batch.set(topic, [record]);
    else records.push(record);
    this.#bytes += record.key.length + record.value.length + RECORD_OVERHEAD_BYTES;
  }

  /** Resolves when Kafka has what was added. */
  async flush(): Promise<void> {
    const topicMessages = Array.from(this.#batch, ([topic, messages]) => ({ topic, messages }));
    this.#batch = new Map();
    this.#bytes = 0;
    if (topicMessages.length > 0) await this.#producer.sendBatch({ acks: -1, topicMessages });
  }

  /** What was added and not flushed is not sent. */
  async close(): Promise<void> {
    await this.#producer.disconnect();
  }
}

async function requireTopics(brokers: string, wanted: readonly string[]): Promise<void> {
  const topics = await withAdmin(brokers, (admin) => admin.listTopics());
  for (const name of wanted) {
    if (!topics.includes(name))
      throw new UserError(
        `Kafka at ${brokers} has no topic ${name}. Is the cluster up? Start it: npm run cluster -- up`,
      );
  }
}

const TARGETS: Readonly<Record<GeneratorTarget, Readonly<Record<SimulatedItem["kind"], string>>>> = {
  public: { transaction: TOPICS.transactions.name, label: TOPICS.labels.name },
  valid: { transaction: TOPICS.transactionsValid.name, label: TOPICS.labelsValid.name },
};

/** The topic that an item goes to. */
export const topicOf = ({ kind }: SimulatedItem, target: GeneratorTarget): string => TARGETS[target][kind];

/** An item's bytes as they stand in its topic. */
export function encodeItem(item: SimulatedItem): Buffer {
  return Buffer.from(
    item.kind === "transaction" ? Transaction.encode(item.message).finish() : FraudLabel.encode(item.message).finish(),
  );
}
