import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { hasSettled } from "./idle.js";

const rate = fc.integer({ min: 1, max: 5_000 });

describe("a cluster that was started", () => {
  it("is not at rest while its processor time falls", () => {
    expect(hasSettled([1_900, 700, 520])).toBe(false);
    expect(hasSettled([1_900, 700, 520, 500])).toBe(false);
  });

  it("is when three windows are about the same", () => {
    expect(hasSettled([1_900, 520, 500, 540])).toBe(true);
  });

  it("is not judged by less than three windows", () => {
    expect(hasSettled([])).toBe(false);
    expect(hasSettled([500, 500])).toBe(false);
  });

  it("is not while something comes up again", () => {
    expect(hasSettled([500, 500, 900])).toBe(false);
  });

  it("is judged by its newest windows alone", () => {
    fc.assert(
      fc.property(fc.array(rate), fc.tuple(rate, rate, rate), (before, newest) => {
        expect(hasSettled([...before, ...newest])).toBe(hasSettled(newest));
      }),
    );
  });
});
