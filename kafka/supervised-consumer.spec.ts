import type { EachBatchPayload } from "kafkajs";
import { afterEach, describe, expect, it, vi } from "vitest";

import { unreadableBatch } from "./record-batches.js";
import { SupervisedConsumer, type SupervisedConsumerOptions } from "./supervised-consumer.js";
import { batchOf } from "./testing/batch.js";
import { FakeBroker } from "./testing/fake-broker.js";
import { PACKERS } from "./testing/packers.js";

const LIMIT = { timeout: 30_000, interval: 20 };
const TOPICS = { first: 2, second: 1 };
/** kafkajs calls it not retriable: UNSUPPORTED_FOR_MESSAGE_FORMAT. */
const NOT_RETRIABLE = 43;

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const end of ends.splice(0).reverse()) await end();
});

async function broker(): Promise<FakeBroker> {
  const started = await FakeBroker.start(TOPICS);
  ends.push(() => started.stop());
  return started;
}

/** A consumer of both topics, what it was given, and what went wrong. */
async function consuming(
  fake: FakeBroker,
  eachBatch?: (payload: EachBatchPayload) => Promise<void> | void,
  more: Partial<SupervisedConsumerOptions> = {},
) {
  const seen: string[] = [];
  const errors: Error[] = [];
  const consumer = new SupervisedConsumer({
    brokers: fake.address,
    clientId: "spec",
    name: "the spec",
    topics: Object.keys(TOPICS),
    consumer: () => ({
      groupId: "spec",
      maxWaitTimeInMs: 20,
      heartbeatInterval: 50,
      sessionTimeout: 6_000,
      retry: { initialRetryTime: 20, maxRetryTime: 50, retries: 1_000 },
    }),
    run: { eachBatchAutoResolve: true, autoCommitInterval: 10, partitionsConsumedConcurrently: 3 },
    eachBatch: async (payload) => {
      await eachBatch?.(payload);
      const { batch } = payload;
      for (const message of batch.messages)
        seen.push(
          unreadableBatch(message) === undefined
            ? `${batch.topic}-${batch.partition} ${message.value?.toString()}`
            : `${batch.topic}-${batch.partition} unreadable to ${message.offset}`,
        );
    },
    onError: (error) => errors.push(error),
    ...more,
  });
  ends.push(() => consumer.stop());
  await consumer.start();
  return { consumer, seen, errors };
}

describe("a consumer", () => {
  it("reads every codec, passes over what is unreadable, counts it, and loses nothing", async () => {
    const fake = await broker();
    Object.values(PACKERS).forEach(({ codec, pack }, n) =>
      fake.append("first", 0, batchOf([{ value: `by ${n}` }], { firstOffset: n, codec, pack })),
    );
    fake.append("first", 1, batchOf([{ value: Buffer.alloc(17 * 1024 * 1024) }], { firstOffset: 0, ...PACKERS.gzip }));
    fake.append("first", 1, batchOf([{ value: "behind a bomb" }], { firstOffset: 1 }));
    fake.append("second", 0, batchOf([{ value: "of another" }], { firstOffset: 0 }));
    const { consumer, seen } = await consuming(fake);
    await expect
      .poll(() => [...seen].sort(), LIMIT)
      .toEqual([
        ...[0, 1, 2, 3, 4].map((n) => `first-0 by ${n}`),
        "first-1 behind a bomb",
        "first-1 unreadable to 0",
        "second-0 of another",
      ]);
    await expect
      .poll(
        () => [
          fake.committed("spec", "first", 0),
          fake.committed("spec", "first", 1),
          fake.committed("spec", "second", 0),
        ],
        LIMIT,
      )
      .toEqual([5, 2, 1]);
    expect(consumer.health).toEqual({ consumer: "the spec", failing: undefined, restarts: 0, unreadable: 1 });
  });

  it("is begun anew where kafkajs gives up, and its health says why until it reads again", async () => {
    const fake = await broker();
    const { consumer, seen, errors } = await consuming(fake);
    expect(consumer.health.failing).toBeUndefined();
    fake.failFetches(NOT_RETRIABLE, 3);
    await expect.poll(() => consumer.health.failing, LIMIT).toContain("message format");
    fake.append("second", 0, batchOf([{ value: "after" }], { firstOffset: 0 }));
    await expect.poll(() => [consumer.health.failing, seen], LIMIT).toEqual([undefined, ["second-0 after"]]);
    expect(consumer.health.restarts).toBe(3);
    expect(errors).toHaveLength(3);
  });

  it.each([
    ["its own bug, which kafkajs never repeats", () => new TypeError("undefined is not a function")],
    ["any other error, which it repeats without a word", () => new Error("no place to write to")],
  ])("says that a batch fails by %s, while other partitions are read, and comes back", async (_, error) => {
    const fake = await broker();
    let planted = true;
    const { consumer, seen, errors } = await consuming(fake, ({ batch }) => {
      if (planted && batch.topic === "first" && batch.partition === 1) throw error();
    });
    fake.append("first", 1, batchOf([{ value: "poison" }], { firstOffset: 0 }));
    await expect.poll(() => consumer.health.failing, LIMIT).toBe(`first-1: ${error().message}`);
    fake.append("second", 0, batchOf([{ value: "of another" }], { firstOffset: 0 }));
    await expect.poll(() => seen, LIMIT).toContain("second-0 of another");
    await expect.poll(() => errors.length, LIMIT).toBeGreaterThan(3);
    // Whatever else it does meanwhile.
    expect(consumer.health.failing).toBe(`first-1: ${error().message}`);
    planted = false;
    await expect
      .poll(() => [consumer.health.failing, seen.filter((one) => one === "first-1 poison").length], LIMIT)
      .toEqual([undefined, 1]);
  });

  it("waits longer with each failure", async () => {
    const fake = await broker();
    const { consumer } = await consuming(fake);
    const before = performance.now();
    fake.failFetches(NOT_RETRIABLE, 4);
    await expect.poll(() => consumer.health.restarts, LIMIT).toBe(4);
    // However slow the machine is, three pauses were at least 250, 500 and 1,000 ms. Timers may be early by 1 ms.
    expect(performance.now() - before).toBeGreaterThan(1_700);
  });

  it("says that Kafka is silent, and that a batch takes too long", async () => {
    const fake = await broker();
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    // Only what counts the time: sockets need theirs.
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const { consumer } = await consuming(fake, ({ batch }) => (batch.topic === "second" ? held : undefined));
    await expect.poll(() => fake.asked.get("heartbeat") ?? 0, LIMIT).toBeGreaterThan(1);
    fake.silence(true);
    // Two heartbeats may be on their way.
    await expect
      .poll(() => (vi.advanceTimersByTime(5_000), consumer.health.failing), LIMIT)
      .toMatch(/^Kafka has not answered for \d+ s$/);
    fake.silence(false);
    // Otherwise kafkajs waits half a minute for the answers that it will not get.
    fake.disconnectAll();
    await expect.poll(() => consumer.health.failing, LIMIT).toBeUndefined();
    fake.append("second", 0, batchOf([{ value: "slow" }], { firstOffset: 0 }));
    await expect
      .poll(() => (vi.advanceTimersByTime(5_000), consumer.health.failing), LIMIT)
      .toMatch(/^second-0: a batch is in hand for \d+ s$/);
    release();
    await expect.poll(() => consumer.health.failing, LIMIT).toBeUndefined();
  });
});
