import { describe, expect, it } from "vitest";

import { followTopics } from "./consumer.js";
import { FetchPace } from "./fetch-pace.js";
import { batchOf } from "./testing/batch.js";
import { FakeBroker } from "./testing/fake-broker.js";

const LIMIT = { timeout: 30_000, interval: 20 };

describe("the pace of fetches", () => {
  it("is that of the load while records come, and slow when none has come for a second", () => {
    const busy = { minBytes: 16_384, maxWaitTime: 20 };
    const pace = new FetchPace(busy, 0);
    expect([pace.next(0), pace.next(999)]).toEqual([busy, busy]);
    expect(pace.next(1_000)).toEqual({ minBytes: 1, maxWaitTime: 500 });
    pace.seen(1_100);
    expect([pace.next(2_099), pace.next(2_100).minBytes]).toEqual([busy, 1]);
  });

  it("is left alone where it is slower", () => {
    const slow = { minBytes: 1, maxWaitTime: 1_000 };
    expect(new FetchPace(slow, 0).next(9_999)).toEqual(slow);
  });

  it("is kafkajs's: a reader at rest asks a few times a second, and has what comes at once", async () => {
    const broker = await FakeBroker.start({ decisions: 1 });
    const arrivals: number[] = [];
    const reader = await followTopics({
      brokers: broker.address,
      topics: ["decisions"],
      from: "beginning",
      maxWaitMs: 20,
      minBytes: 65_536,
      onRecord: ({ arrivedAtMs }) => arrivals.push(arrivedAtMs),
    });
    try {
      const fetches = (): number => broker.fetches.length;
      await expect.poll(() => broker.fetches.at(-1), LIMIT).toEqual({ minBytes: 1, maxWaitMs: 500 });
      expect(broker.fetches[0]).toEqual({ minBytes: 65_536, maxWaitMs: 20 });
      const before = fetches();
      const sinceMs = performance.now();
      await expect.poll(() => fetches(), LIMIT).toBeGreaterThan(before + 3);
      // None is answered sooner.
      expect(performance.now() - sinceMs).toBeGreaterThan(1_200);
      const atRest = fetches();
      broker.append("decisions", 0, batchOf([{ value: "x" }], { firstOffset: 0 }));
      await expect.poll(() => arrivals.length, LIMIT).toBe(1);
      // Not the latest one: a second later it is at rest again.
      await expect.poll(() => broker.fetches.slice(atRest), LIMIT).toContainEqual({ minBytes: 65_536, maxWaitMs: 20 });
    } finally {
      await reader.stop();
      await broker.stop();
    }
  });
});
