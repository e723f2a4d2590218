import { describe, expect, it } from "vitest";

import { qualityByScenario } from "./scenarios.js";

describe("quality by scenario", () => {
  const scenarios = new Map([
    [399, 1],
    [398, 2],
    [397, 2],
  ]);
  const scenarioAt = (place: number): number => scenarios.get(place) ?? 0;
  const places = Array.from({ length: 400 }, (_, n) => n);
  const found = qualityByScenario(
    {
      days: new Uint16Array(400),
      customers: Uint16Array.from(places),
      amountsMinor: Uint32Array.from(places, (n) => (n === 397 ? 300 : 100)),
      frauds: Uint8Array.from(places, (n) => (scenarioAt(n) === 0 ? 0 : 1)),
      scores: Float64Array.from(places, (n) => (n === 397 ? 0 : n / 400)),
    },
    scenarioAt,
  );

  it("has the share of each kind of fraud, and of its value, among the half percent that is scored highest", () => {
    expect(found.map(({ frauds, recallAt05, valueAt05 }) => [frauds, recallAt05, valueAt05])).toEqual([
      [1, 1, 1],
      [2, 0.5, 0.25],
    ]);
  });

  it("tells each kind from what is genuine, as if there were no other", () => {
    expect(found.map(({ scenario, auc }) => [scenario, auc])).toEqual([
      ["1: an amount above 220", 1],
      // One above all of 397, one beside the lowest.
      ["2: a compromised terminal", (1 + 0.5 / 397) / 2],
    ]);
  });
});
