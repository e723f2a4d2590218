import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { outcomesOf, thresholdByCapacity, thresholdsByCosts } from "./costs.js";
import type { Scored } from "./scored.js";

const COSTS = { lookMinor: 300, stoppedMinor: 1_000 };
/** Two days: a fraud let through, one found, one declined; a genuine transaction of each. */
const week: Scored = {
  days: Uint16Array.of(1, 1, 1, 2, 2, 2),
  customers: new Uint16Array(6),
  amountsMinor: Uint32Array.of(5_000, 20_000, 30_000, 700, 700, 700),
  frauds: Uint8Array.of(1, 1, 1, 0, 0, 0),
  scores: Float64Array.of(0.001, 0.1, 0.9, 0.001, 0.1, 0.9),
};

describe("what decisions cost", () => {
  it("is a look, a good customer stopped, and the amount of a fraud let through", () => {
    expect(outcomesOf(week, { reviewFrom: 0.05, declineFrom: 0.7 }, COSTS)).toEqual({
      thresholds: { reviewFrom: 0.05, declineFrom: 0.7 },
      frauds: { approved: 1, reviewed: 1, declined: 1 },
      genuine: { approved: 1, reviewed: 1, declined: 1 },
      looksADay: 1,
      costWithoutMinor: 55_000,
      costMinor: 5_000 + 2 * 300 + 1_000,
      saved: 1 - 6_600 / 55_000,
    });
  });

  it("is least, of one transaction, by what the thresholds say", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 100_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (lookMinor, stoppedMinor, amount, p) => {
          const { reviewFrom, declineFrom } = thresholdsByCosts({ lookMinor, stoppedMinor }, amount);
          const cost = { approve: p * amount, review: lookMinor, decline: (1 - p) * stoppedMinor };
          const chosen = p >= declineFrom ? "decline" : p >= reviewFrom ? "review" : "approve";
          expect(cost[chosen]).toBeLessThanOrEqual(Math.min(...Object.values(cost)) * (1 + 1e-9) + 1e-9);
        },
      ),
    );
  });

  it("has a threshold that so many a day reach", () => {
    const scores = Float64Array.from({ length: 1_000 }, (_, n) => n / 1_000);
    expect(thresholdByCapacity(scores, 7, 10)).toBe(0.93);
    expect(scores.filter((score) => score >= 0.93)).toHaveLength(70);
    expect(thresholdByCapacity(scores, 7, 1_000)).toBe(0);
    expect(thresholdByCapacity(new Float64Array(0), 7, 10)).toBe(1);
  });
});
