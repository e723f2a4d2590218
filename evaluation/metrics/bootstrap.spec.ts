import { describe, expect, it } from "vitest";

import { bootstrapIntervals } from "./bootstrap.js";
import { qualityOf } from "./quality.js";

const COUNT = 6_000;
const scored = {
  days: Uint16Array.from({ length: COUNT }, (_, n) => n % 7),
  customers: Uint16Array.from({ length: COUNT }, (_, n) => (n * 7) % 1_501),
  amountsMinor: new Uint32Array(COUNT).fill(100),
  frauds: Uint8Array.from({ length: COUNT }, (_, n) => (n % 50 === 0 ? 1 : 0)),
  scores: Float64Array.from({ length: COUNT }, (_, n) => (n % 50 === 0 ? 30 : 0) + ((n * 37) % 101)),
};

describe("bootstrap intervals", () => {
  it("have the figure itself between their ends, and are the same for the same seed", () => {
    const intervals = bootstrapIntervals(scored, { draws: 200, seed: 1 });
    const quality = qualityOf(scored)();
    for (const name of ["auc", "averagePrecision", "cardPrecision100", "recallAt05"] as const) {
      const [low, high] = intervals[name];
      expect(low, name).toBeLessThan(quality[name]);
      expect(high, name).toBeGreaterThan(quality[name]);
    }
    expect(bootstrapIntervals(scored, { draws: 200, seed: 1 })).toEqual(intervals);
    expect(bootstrapIntervals(scored, { draws: 200, seed: 2 })).not.toEqual(intervals);
  });

  it("are as wide as the spread of the AUC over customers is by theory", () => {
    const [low, high] = bootstrapIntervals(scored, { draws: 400, seed: 1 }).auc;
    // Hanley and McNeil's standard error; frauds are of different customers here.
    const { auc } = qualityOf(scored)();
    const frauds = COUNT / 50;
    const [q1, q2] = [auc / (2 - auc), (2 * auc ** 2) / (1 + auc)];
    const variance =
      (auc * (1 - auc) + (frauds - 1) * (q1 - auc ** 2) + (COUNT - frauds - 1) * (q2 - auc ** 2)) /
      (frauds * (COUNT - frauds));
    expect((high - low) / (2 * 1.96 * Math.sqrt(variance))).toBeGreaterThan(0.7);
    expect((high - low) / (2 * 1.96 * Math.sqrt(variance))).toBeLessThan(1.3);
  });
});
