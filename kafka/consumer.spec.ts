import { afterEach, describe, expect, it } from "vitest";

import { followTopics } from "./consumer.js";
import { batchOf } from "./testing/batch.js";
import { FakeBroker } from "./testing/fake-broker.js";
import { PACKERS } from "./testing/packers.js";

const LIMIT = { timeout: 30_000, interval: 20 };
const NOT_RETRIABLE = 43;

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function filled(): Promise<FakeBroker> {
  const broker = await FakeBroker.start({ decisions: 1 });
  ends.push(() => broker.stop());
  Object.values(PACKERS).forEach((how, n) =>
    broker.append("decisions", 0, batchOf([{ value: `${n}` }], { firstOffset: n, ...how })),
  );
  return broker;
}

describe("a follower of topics", () => {
  it("reads what any codec has packed, and goes on where it was after an end that kafkajs calls final", async () => {
    const broker = await filled();
    const seen: string[] = [];
    const reader = await followTopics({
      brokers: broker.address,
      topics: ["decisions"],
      from: "beginning",
      maxWaitMs: 20,
      onRecord: ({ value }) => seen.push(value!.toString()),
      onError: () => undefined,
    });
    ends.push(() => reader.stop());
    await expect.poll(() => seen, LIMIT).toEqual(["0", "1", "2", "3", "4"]);
    broker.failFetches(NOT_RETRIABLE, 2);
    await expect.poll(() => reader.health.restarts, LIMIT).toBe(2);
    broker.append("decisions", 0, batchOf([{ value: "5" }], { firstOffset: 5 }));
    await expect.poll(() => seen, LIMIT).toEqual(["0", "1", "2", "3", "4", "5"]);
    // None waits until the session of the one before it is over.
    expect(new Set(broker.joined).size).toBe(3);
  });

  it("goes on with a topic that was made again, from its beginning: shorter than the old one, as long, and longer", async () => {
    for (const records of [1, 5, 8]) {
      const broker = await filled();
      const seen: string[] = [];
      const anew: string[] = [];
      const onNewLog = (topic: string, partition: number): void => void anew.push(`${topic}-${partition}`);
      const reader = await followTopics({
        brokers: broker.address,
        topics: ["decisions"],
        from: new Map([[0, 4n]]),
        maxWaitMs: 20,
        onRecord: ({ value }) => seen.push(value!.toString()),
        onNewLog,
        onError: () => undefined,
      });
      ends.push(() => reader.stop());
      await expect.poll(() => seen, LIMIT).toEqual(["4"]);
      seen.splice(0);
      broker.make("decisions", 1);
      for (let n = 0; n < records; n++)
        broker.append("decisions", 0, batchOf([{ value: `new ${n}` }], { firstOffset: n }));
      const all = Array.from({ length: records }, (_, n) => `new ${n}`);
      // What lies beyond the old offset may be seen before it is noticed.
      await expect.poll(() => seen.slice(-records), LIMIT).toEqual(all);
      broker.append("decisions", 0, batchOf([{ value: "next" }], { firstOffset: records }));
      await expect.poll(() => seen.slice(-records - 1), LIMIT).toEqual([...all, "next"]);
      expect(anew).toEqual(["decisions-0"]);
    }
  });

  it("is told of what cannot be read, and passes over a record that its own code fails at", async () => {
    const broker = await filled();
    broker.append("decisions", 0, batchOf([{ value: "" }], { firstOffset: 5, codec: "zstd" }));
    broker.append("decisions", 0, batchOf([{ value: "6" }], { firstOffset: 6 }));
    const seen: string[] = [];
    const unreadable: string[] = [];
    const errors: string[] = [];
    const reader = await followTopics({
      brokers: broker.address,
      topics: ["decisions"],
      from: new Map([[0, 2n]]),
      maxWaitMs: 20,
      onRecord: ({ value }) => {
        if (value!.toString() === "3") throw new TypeError("a bug");
        seen.push(value!.toString());
      },
      onUnreadable: ({ topic, partition, firstOffset }) => unreadable.push(`${topic}-${partition}-${firstOffset}`),
      onError: ({ message }) => errors.push(message),
    });
    ends.push(() => reader.stop());
    await expect.poll(() => seen, LIMIT).toEqual(["2", "4", "6"]);
    expect([unreadable, errors[0]]).toEqual([["decisions-0-5"], "a bug"]);
    await expect.poll(() => reader.health.failing, LIMIT).toBeUndefined();
  });

  it("throws in the end what its own code has thrown, when nobody was told", async () => {
    const broker = await filled();
    const seen: string[] = [];
    const reader = await followTopics({
      brokers: broker.address,
      topics: ["decisions"],
      from: "beginning",
      maxWaitMs: 20,
      onRecord: ({ value }) => {
        seen.push(value!.toString());
        if (seen.length === 1) throw new Error("a bug");
      },
    });
    await expect.poll(() => seen.length, LIMIT).toBe(5);
    await expect(reader.stop()).rejects.toThrow("a bug");
  });

  it("throws in the end what still is wrong, when nobody was told", async () => {
    const broker = await filled();
    const reader = await followTopics({
      brokers: broker.address,
      topics: ["decisions"],
      from: "beginning",
      maxWaitMs: 20,
      onRecord: () => undefined,
    });
    broker.failFetches(NOT_RETRIABLE, 1_000);
    await expect.poll(() => reader.health.failing, LIMIT).toBeDefined();
    await expect(reader.stop()).rejects.toThrow("the reading of decisions failed");
  });
});
