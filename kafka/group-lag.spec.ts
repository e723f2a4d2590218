import { setImmediate as turn } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import { LagWatch, lagIn } from "./group-lag.js";
import { FakeBroker } from "./testing/fake-broker.js";

const end = (partition: number, low: number, high: number) => ({ partition, low: String(low), high: String(high) });

describe("the lag of a group", () => {
  it("reaches from what it has committed to the end of each partition", () => {
    const lags = lagIn(
      "g",
      "t",
      [
        { partition: 0, offset: "7" },
        { partition: 1, offset: "-1" },
        { partition: 2, offset: "3" },
        { partition: 3, offset: "12" },
      ],
      [end(0, 0, 10), end(1, 2, 10), end(2, 5, 10), end(3, 0, 10), end(4, 0, 4)],
    );
    // Nothing committed, or something that retention has removed: from the beginning. The end was asked a moment
    // before.
    expect(lags.map(({ offsets }) => offsets)).toEqual([3n, 8n, 5n, 0n, 4n]);
    expect(lags.map(({ from }) => from)).toEqual([7n, 2n, 5n, 12n, 0n]);
    expect(lags[0]).toEqual({ group: "g", topic: "t", partition: 0, from: 7n, offsets: 3n, records: 10n });
  });

  it("is not known when no broker answers, and says so without waiting for one", async () => {
    const broker = await FakeBroker.start({ t: 2 });
    broker.silence(true);
    let nowMs = 1_000;
    const watch = new LagWatch(broker.address, [{ group: "g", topics: ["t"] }], 50, () => nowMs);
    try {
      // kafkajs would wait for half a minute.
      const began = performance.now();
      expect(await watch.now()).toEqual([]);
      expect(performance.now() - began).toBeLessThan(20_000);
      // For five seconds it is not asked again.
      nowMs += 4_999;
      expect(await Promise.race([watch.now(), turn("waits")])).toEqual([]);
      nowMs += 1;
      expect(await Promise.race([watch.now(), turn("waits")])).toBe("waits");
    } finally {
      await broker.stop();
      await watch.close();
    }
  });

  it("is asked for once, when two want it within half a second, and anew after that", async () => {
    const broker = await FakeBroker.start({ t: 2 });
    let nowMs = 1_000;
    const watch = new LagWatch(broker.address, [{ group: "g", topics: ["t"] }], 30_000, () => nowMs);
    const asked = (): number => broker.asked.get("offsetFetch") ?? 0;
    try {
      const first = await watch.now();
      expect(first).toHaveLength(2);
      nowMs += 499;
      expect(await watch.now()).toBe(first);
      expect(asked()).toBe(1);
      nowMs++;
      expect(await watch.now()).toEqual(first);
      expect(asked()).toBe(2);
    } finally {
      await watch.close();
      await broker.stop();
    }
  });
});
