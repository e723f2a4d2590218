import { setTimeout as delay } from "node:timers/promises";

import { TOPICS } from "../../contract/topics.js";
import { dueCount } from "../../ingress-generator/pacing.js";
import { kafkaClient, Partitioners } from "../../kafka/client.js";
import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { spanMs, transaction } from "../k6/traffic.ts";

const DAY_MS = 24 * 3_600_000;
/** Few large requests: the sender shares its processors with what it loads. */
const TICK_MS = 100;
const MOST_IN_A_REQUEST = 2_000;
export const ACCOUNTS = 5_000;
export const MERCHANTS = 500;

export interface KafkaLoadOptions {
  readonly brokers: string;
  /** The run id of these transactions alone. */
  readonly runId: string;
  /** The most transactions: event time begins long enough ago not to reach the present. */
  readonly atMost: number;
}

/**
 * Sends transactions through Kafka's door, the topic `transactions`, as any client might, and in as little processor
 * time as possible.
 */
export class KafkaLoad {
  readonly #options: KafkaLoadOptions;
  readonly #producer;
  readonly #startMs: number;
  #sent = 0;

  private constructor(options: KafkaLoadOptions) {
    this.#options = options;
    this.#startMs = Date.now() - DAY_MS - spanMs(options.atMost, ACCOUNTS);
    this.#producer = kafkaClient(options.brokers, "fraud-overload").producer({
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
  }

  /** Connects. */
  static async connect(options: KafkaLoadOptions): Promise<KafkaLoad> {
    const load = new KafkaLoad(options);
    await load.#producer.connect();
    return load;
  }

  /** Transactions that Kafka has acknowledged. */
  get sent(): number {
    return this.#sent;
  }

  /**
   * Sends at a rate that does not wait for answers: when Kafka is slow, everything that was due still comes, only
   * later.
   */
  async atRate(perSecond: number, forMs: number, signal?: AbortSignal): Promise<void> {
    const before = this.#sent;
    const beganMs = Date.now();
    for (let elapsed = 0; elapsed < forMs; elapsed = Date.now() - beganMs)
      await this.send(dueCount(elapsed, perSecond) - (this.#sent - before), signal);
    await this.send(Math.floor((perSecond * forMs) / 1000) - (this.#sent - before), signal, 0);
  }

  async close(): Promise<void> {
    await this.#producer.disconnect();
  }

  /** Sends this many, as fast as Kafka takes them, and pauses. */
  async send(count: number, signal?: AbortSignal, pauseMs = TICK_MS): Promise<void> {
    const { runId, atMost } = this.#options;
    const run = { runId, accounts: ACCOUNTS, merchants: MERCHANTS, startMs: this.#startMs };
    for (let left = Math.min(count, atMost - this.#sent); left > 0;) {
      signal?.throwIfAborted();
      const size = Math.min(left, MOST_IN_A_REQUEST);
      const messages = Array.from({ length: size }, (_, at) => {
        const { amountMinor, eventTimeMs, ...rest } = transaction(run, this.#sent + at);
        return {
          key: rest.accountId,
          value: Buffer.from(
            Transaction.encode(
              Transaction.fromPartial({ ...rest, amountMinor: BigInt(amountMinor), eventTimeMs: BigInt(eventTimeMs) }),
            ).finish(),
          ),
        };
      });
      await this.#producer.send({ topic: TOPICS.transactions.name, acks: -1, messages });
      this.#sent += size;
      left -= size;
    }
    await delay(pauseMs, undefined, { signal });
  }
}
