import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ALL_FAULTS, fits, schedule } from "./schedule.js";

const first = (seed: number, count: number, kinds = ALL_FAULTS) => {
  const faults = schedule(kinds, seed);
  return Array.from({ length: count }, () => faults.next().value);
};

describe("the schedule of faults", () => {
  it("is the same for the same seed, and another for another", () => {
    expect(first(7, 40)).toEqual(first(7, 40));
    expect(first(8, 40)).not.toEqual(first(7, 40));
  });

  it("has every kind once before any comes again", () => {
    fc.assert(
      fc.property(fc.integer(), fc.subarray(ALL_FAULTS, { minLength: 1 }), (seed, kinds) => {
        const drawn = first(seed, 2 * kinds.length, kinds).map(({ kind }) => kind);
        for (const half of [drawn.slice(0, kinds.length), drawn.slice(kinds.length)]) expect(half.toSorted()).toEqual(kinds.toSorted());
      }),
    );
  });

  it("lets nothing begin that would not be over in time", () => {
    expect(fits("rolling-upgrade", 30_000)).toBe(false);
    expect(fits("kill-functions", 30_000)).toBe(true);
  });
});
