import type { Admin } from "kafkajs";

import { kafkaClient } from "./client.js";

/** How far a consumer group is behind in one partition. */
export interface GroupLag {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  /** Where the group goes on: what it has committed, or the partition's beginning where that is later. */
  readonly from: bigint;
  /** From there to the partition's end; in a topic without transactions that many records. */
  readonly offsets: bigint;
  /** Of the whole partition as it is kept. */
  readonly records: bigint;
}

/** Which topics a group reads. */
export interface ReadingGroup {
  readonly group: string;
  readonly topics: readonly string[];
}

/**
 * What was asked so short a time ago is the answer to others too: watches that begin together ask every second, but not
 * forever in the same moment.
 */
const SHARED_MS = 500;
/** How long the broker is left alone after a failure. */
const RETRY_MS = 5_000;

/**
 * Watches how far groups are behind, for as long as a program runs. What a group has read and not committed counts: a
 * Flink job commits when a checkpoint completes, so its lag says what a restart would read again.
 */
export class LagWatch {
  readonly #admin: Admin;
  readonly #groups: readonly ReadingGroup[];
  readonly #limitMs: number;
  readonly #nowMs: () => number;
  #connected = false;
  #asking: Promise<GroupLag[]> | undefined;
  #answered = false;
  #askedAtMs = -Infinity;
  #failedAtMs = -Infinity;

  /** @param nowMs - a clock that never goes back */
  constructor(
    brokers: string,
    groups: readonly ReadingGroup[],
    limitMs: number,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#nowMs = nowMs;
    this.#admin = kafkaClient(brokers, "fraud-lag", { patient: false }).admin();
    this.#groups = groups;
    this.#limitMs = limitMs;
  }

  /**
   * How far each group is behind now, or was half a second ago; empty when the broker does not say so within the limit.
   * Never rejects.
   */
  async now(): Promise<readonly GroupLag[]> {
    if (this.#nowMs() < this.#failedAtMs + RETRY_MS) return [];
    if (this.#answered && this.#nowMs() - this.#askedAtMs >= SHARED_MS) this.#asking = undefined;
    // One question at a time, however many ask.
    const asking = (this.#asking ??= this.#begin());
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>(
      (_, reject) => (timer = setTimeout(() => reject(new Error("the broker does not answer")), this.#limitMs)),
    );
    try {
      return await Promise.race([asking, late]);
    } catch {
      this.#failedAtMs = this.#nowMs();
      // A late failure is this one.
      asking.catch(() => undefined);
      return [];
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    await this.#admin.disconnect();
  }

  #begin(): Promise<GroupLag[]> {
    this.#answered = false;
    this.#askedAtMs = this.#nowMs();
    const asking = this.#ask();
    asking.then(
      () => (this.#answered = true),
      () => (this.#asking = undefined),
    );
    return asking;
  }

  async #ask(): Promise<GroupLag[]> {
    if (!this.#connected) await this.#admin.connect();
    this.#connected = true;
    const lags = this.#groups.map(async ({ group, topics }) => {
      const committed = await this.#admin.fetchOffsets({ groupId: group, topics: [...topics] });
      return await Promise.all(
        topics.map(async (topic) =>
          lagIn(
            group,
            topic,
            committed.find((one) => one.topic === topic)?.partitions ?? [],
            await this.#admin.fetchTopicOffsets(topic),
          ),
        ),
      );
    });
    return (await Promise.all(lags)).flat(2);
  }
}

/** @param read - what the group has committed; −1: nothing yet, so all that is still there is before it */
export function lagIn(
  group: string,
  topic: string,
  read: readonly { readonly partition: number; readonly offset: string }[],
  ends: readonly { readonly partition: number; readonly low: string; readonly high: string }[],
): GroupLag[] {
  return ends.map(({ partition, low, high }) => {
    const at = BigInt(read.find((one) => one.partition === partition)?.offset ?? -1);
    const from = at < BigInt(low) ? BigInt(low) : at;
    // The two were not asked at the same moment.
    return {
      group,
      topic,
      partition,
      from,
      offsets: from > BigInt(high) ? 0n : BigInt(high) - from,
      records: BigInt(high) - BigInt(low),
    };
  });
}
