import type { Consumer, ConsumerConfig, ConsumerGroupJoinEvent, EachBatchPayload } from "kafkajs";

import { kafkaClient } from "./client.js";
import type { ConsumerHealth } from "./consumer-health.js";
import { unreadableBatch } from "./record-batches.js";

export interface SupervisedConsumerOptions {
  /** `host:port` of a broker. */
  readonly brokers: string;
  readonly clientId: string;
  /** Of {@link ConsumerHealth}. */
  readonly name: string;
  /** Asked for each one that is begun. */
  readonly consumer: () => ConsumerConfig;
  /** Each from its beginning, or from where the group has come to. */
  readonly topics: readonly string[];
  readonly run: {
    readonly autoCommit?: boolean;
    readonly autoCommitInterval?: number;
    readonly eachBatchAutoResolve?: boolean;
    readonly partitionsConsumedConcurrently?: number;
  };
  readonly eachBatch: (payload: EachBatchPayload) => Promise<void>;
  /** It has its partitions, and has fetched nothing yet. @param assignment - their numbers, by topic */
  readonly onJoin?: (consumer: Consumer, assignment: Readonly<Record<string, readonly number[]>>) => void;
  /** Something is wrong, and is tried again. */
  readonly onError: (error: Error) => void;
}

/** Between two attempts, doubled with each. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** Failures further apart have nothing to do with each other. */
const SEPARATE_MS = 60_000;
/** Counted in ticks, so that a machine that slept is not taken for a broker that was silent. */
const TICK_MS = 5_000;
/** When Kafka has answered nothing for this long, it says so, and a little later begins anew. */
const SILENT_TICKS = 6;
const HOPELESS_TICKS = 12;
/** A batch takes milliseconds. */
const LONG_BATCH_TICKS = 12;
const FORGOTTEN_TICKS = 12;

/**
 * A consumer that reads for as long as the program runs, and that knows when it does not.
 *
 * kafkajs ends a consumer for good at every error that it does not call retriable (a codec, a protocol error, a
 * TypeError in the program's own code), and silently repeats the others forever. Here whatever ends it makes
 * another one, after a pause that doubles up to 10 s, and until it reads again {@link health} says why it does not:
 * also while a batch fails or takes too long, or Kafka is silent.
 */
export class SupervisedConsumer {
  readonly #options: SupervisedConsumerOptions;
  #consumer: Consumer | undefined;
  #timer: NodeJS.Timeout | undefined;
  #restarting: NodeJS.Timeout | undefined;
  #stopped = false;
  #joined = false;
  /** What ended the last consumer, until the next one is known to read. */
  #crash: string | undefined;
  /** What the latest try at a partition's batch threw. */
  readonly #failures = new Map<string, { readonly message: string; ticks: number }>();
  /** Batches in hand, with their age. */
  readonly #inHand = new Map<string, { ticks: number }>();
  #silentTicks = 0;
  #restarts = 0;
  #unreadable = 0;
  #failedAtMs = -Infinity;
  #failuresInARow = 0;
  #announceJoin: () => void = () => undefined;
  readonly #firstJoin = new Promise<void>((resolve) => (this.#announceJoin = resolve));

  constructor(options: SupervisedConsumerOptions) {
    this.#options = options;
  }

  /** Whether it has its partitions. */
  get joined(): boolean {
    return this.#joined;
  }

  get health(): ConsumerHealth {
    return {
      consumer: this.#options.name,
      failing: this.#stopped ? undefined : this.#failing(),
      restarts: this.#restarts,
      unreadable: this.#unreadable,
    };
  }

  /**
   * Connects, and reads from then on.
   *
   * @returns when it has its partitions for the first time, or was stopped
   * @throws when no broker answers for about half a minute: a program that has not begun to read had better say so
   */
  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
    try {
      await this.#begin(true);
    } catch (error) {
      await this.stop();
      throw error;
    }
    await this.#firstJoin;
  }

  /** Finishes the batches in hand, and commits how far it has come where it does so by itself. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    clearTimeout(this.#restarting);
    this.#announceJoin();
    await this.#consumer?.disconnect();
  }

  /** Makes it read a partition from there on, and forget what it has fetched from it. */
  seek(topic: string, partition: number, offset: bigint): void {
    this.#consumer?.seek({ topic, partition, offset: String(offset) });
  }

  async #begin(first: boolean): Promise<void> {
    const { brokers, clientId, topics, run, onJoin } = this.#options;
    const config = this.#options.consumer();
    // It never restarts by itself: there is one way, and this class knows of it.
    const consumer = kafkaClient(brokers, clientId).consumer({
      ...config,
      retry: { ...config.retry, restartOnFailure: () => Promise.resolve(false) },
    });
    const isMine = (): boolean => this.#consumer === consumer && !this.#stopped;
    consumer.on("consumer.group_join", (event) => {
      if (!isMine()) return;
      this.#onJoin(event);
      onJoin?.(consumer, event.payload.memberAssignment);
    });
    consumer.on("consumer.heartbeat", () => {
      if (!isMine()) return;
      this.#silentTicks = 0;
      // It comes after an answer to a fetch.
      if (this.#joined) this.#crash = undefined;
    });
    consumer.on("consumer.crash", ({ payload }) => {
      if (isMine()) this.#restart(payload.error);
    });
    this.#consumer = consumer;
    this.#silentTicks = 0;
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [...topics], fromBeginning: true });
      if (isMine()) await consumer.run({ ...run, eachBatch: (payload) => this.#eachBatch(payload, isMine) });
      else await consumer.disconnect();
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      void consumer.disconnect().catch(() => undefined);
      if (first) throw error;
      // It may have been given up meanwhile.
      if (isMine()) this.#restart(error);
    }
  }

  #onJoin({ payload: { memberAssignment } }: ConsumerGroupJoinEvent): void {
    this.#joined = true;
    this.#silentTicks = 0;
    // Of what others read now, others tell.
    const mine = new Set(
      Object.entries(memberAssignment).flatMap(([topic, partitions]) =>
        partitions.map((partition) => positionOf(topic, partition)),
      ),
    );
    for (const position of this.#failures.keys()) if (!mine.has(position)) this.#failures.delete(position);
    this.#announceJoin();
  }

  async #eachBatch(payload: EachBatchPayload, isMine: () => boolean): Promise<void> {
    const position = positionOf(payload.batch.topic, payload.batch.partition);
    const age = { ticks: 0 };
    this.#inHand.set(position, age);
    try {
      await this.#options.eachBatch(payload);
      this.#silentTicks = 0;
      if (isMine()) {
        this.#failures.delete(position);
        this.#crash = undefined;
      }
      for (const message of payload.batch.messages) if (unreadableBatch(message) !== undefined) this.#unreadable++;
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      // A rebalance, or a consumer that was given up: another one reads this batch.
      if (isMine() && !isRebalance(error)) {
        this.#failures.set(position, { message: error.message, ticks: 0 });
        this.#options.onError(error);
      }
      throw error;
    } finally {
      if (this.#inHand.get(position) === age) this.#inHand.delete(position);
    }
  }

  #restart(error: Error): void {
    const old = this.#consumer;
    this.#consumer = undefined;
    this.#joined = false;
    this.#crash = error.message;
    this.#restarts++;
    const now = performance.now();
    this.#failuresInARow = now - this.#failedAtMs > SEPARATE_MS ? 0 : this.#failuresInARow + 1;
    this.#failedAtMs = now;
    this.#options.onError(error);
    // What it has in hand may hold it up forever.
    void old?.disconnect().catch(() => undefined);
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#failuresInARow, LONGEST_PAUSE_MS);
    this.#restarting = setTimeout(() => {
      if (!this.#stopped) void this.#begin(false);
    }, pauseMs);
  }

  #tick(): void {
    for (const age of this.#inHand.values()) age.ticks++;
    // It was tried every few seconds: what failed is there no more.
    for (const [position, failure] of this.#failures)
      if (++failure.ticks >= FORGOTTEN_TICKS && this.#joined) this.#failures.delete(position);
    if (this.#consumer === undefined) return;
    this.#silentTicks++;
    if (this.#silentTicks >= HOPELESS_TICKS && this.#inHand.size === 0)
      this.#restart(new Error(silence(this.#silentTicks)));
  }

  #failing(): string | undefined {
    // What failed in a batch has its position, and may have ended the consumer as well.
    for (const [position, { message }] of this.#failures) return `${position}: ${message}`;
    if (this.#crash !== undefined) return this.#crash;
    for (const [position, { ticks }] of this.#inHand)
      if (ticks >= LONG_BATCH_TICKS) return `${position}: a batch is in hand for ${seconds(ticks)} s`;
    return this.#silentTicks >= SILENT_TICKS ? silence(this.#silentTicks) : undefined;
  }
}

const positionOf = (topic: string, partition: number): string => `${topic}-${partition}`;
const seconds = (ticks: number): number => (ticks * TICK_MS) / 1_000;
const silence = (ticks: number): string => `Kafka has not answered for ${seconds(ticks)} s`;
const isRebalance = (error: Error & { readonly type?: string }): boolean =>
  error.type === "REBALANCE_IN_PROGRESS" ||
  error.type === "NOT_COORDINATOR_FOR_GROUP" ||
  error.type === "UNKNOWN_MEMBER_ID" ||
  error.type === "ILLEGAL_GENERATION";
