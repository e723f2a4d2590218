import { describe, expect, it } from "vitest";

import { Latencies } from "./latencies.js";

describe("Latencies", () => {
  it("gives nearest-rank quantiles", () => {
    const latencies = new Latencies(1000);
    for (let ms = 100; ms >= 1; ms--) latencies.add(ms);
    expect(latencies.quantiles(0, 0.5, 0.99, 1)).toEqual([1, 50, 99, 100]);
  });

  it("knows nothing of nothing", () => {
    expect(new Latencies(10).quantiles(0.5)).toEqual([undefined]);
  });

  it("keeps the newest", () => {
    const latencies = new Latencies(3);
    for (const ms of [1000, 1, 2, 3]) latencies.add(ms);
    expect(latencies.quantiles(1)).toEqual([3]);
    expect(latencies.count).toBe(4);
  });
});
