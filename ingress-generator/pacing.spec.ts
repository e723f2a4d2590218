import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { dueCount, dueMs } from "./pacing.js";

describe("pacing", () => {
  it("has n transactions due exactly from the time of the n-th on", () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.constantFrom(1, 10, 500, 1000), (n, rate) => {
        expect(dueCount(dueMs(n, rate), rate)).toBe(n + 1);
        if (n > 0) expect(dueCount(dueMs(n, rate) - 0.01, rate)).toBe(n);
      }),
    );
  });

  it("has nothing due before the start", () => {
    expect(dueCount(-1, 100)).toBe(0);
  });
});
