import { describe, expect, it } from "vitest";

import { LagSamples } from "./lag.js";

/** Sampled four times a second: decisions come once a second, `kept` of every 1,000 that are due. */
function sampled(seconds: number, kept: number): LagSamples {
  const samples = new LagSamples();
  let decided = 0;
  for (let quarter = 0; quarter < seconds * 4; quarter++) {
    const due = quarter * 250;
    if (quarter % 4 === 0) decided = Math.max(0, due - 500) * (kept / 1000);
    samples.add(quarter * 250, due - decided);
  }
  return samples;
}

describe("the lag", () => {
  it("does not grow when as many are decided as are due, though each checkpoint lets it jump", () => {
    expect(Math.abs(sampled(60, 1_000).growth)).toBeLessThan(10);
  });

  it("grows by what is due and not decided", () => {
    expect(sampled(60, 950).growth).toBeCloseTo(50, -1);
  });

  it("is nothing without samples", () => {
    expect(new LagSamples()).toMatchObject({ mean: 0, growth: 0 });
  });
});
