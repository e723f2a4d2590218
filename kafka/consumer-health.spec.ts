import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";

import { beginningHealth, consumerMetrics } from "./consumer-health.js";

describe("a consumer that is being begun", () => {
  it("is taken to fail after a minute", () => {
    expect(beginningHealth("c", 0, 59_999).failing).toBeUndefined();
    expect(beginningHealth("c", 0, 61_000).failing).toBe("it has not begun to read for 61 s");
  });
});

describe("the metrics of consumers", () => {
  it("count restarts and what was unreadable", async () => {
    const registry = new Registry();
    consumerMetrics(registry, () => [{ consumer: "c", failing: undefined, restarts: 3, unreadable: 2 }]);
    for (let scrape = 0; scrape < 2; scrape++) {
      expect(await registry.metrics()).toContain('kafka_consumer_restarts_total{consumer="c"} 3');
      expect(await registry.metrics()).toContain('kafka_consumer_unreadable_batches_total{consumer="c"} 2');
    }
  });
});
