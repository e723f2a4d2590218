import { describe, expect, it } from "vitest";

import { exitCodeOf } from "./k6-plan.js";

describe("a load that was ended early", () => {
  it("has the exit code that its thresholds give", () => {
    const summary = (...broken: boolean[]): string =>
      JSON.stringify({
        metrics: {
          iterations: { count: 3 },
          missing: { thresholds: { "count==0": broken[0] } },
          decided: { thresholds: { "count>0": broken[1] } },
        },
      });
    expect(exitCodeOf(summary(false, false))).toBe(0);
    expect(exitCodeOf(summary(false, true))).toBe(99);
    expect(exitCodeOf(summary(true, false))).toBe(99);
  });
});
