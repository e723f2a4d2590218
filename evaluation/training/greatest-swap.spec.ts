import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { greatestSwap } from "./greatest-swap.js";

const of = (theirs: number[], ours: number[]): number =>
  greatestSwap(Float64Array.from(theirs), Float64Array.from(ours));

describe("the greatest swap", () => {
  it("is none where the order is the same, up to what is equal", () => {
    expect(of([3, 1, 2], [30, 10, 20])).toBe(0);
    expect(of([1, 1, 2], [20, 10, 20])).toBe(0);
    expect(of([1, 2, 3], [7, 7, 7])).toBe(0);
    expect(of([], [])).toBe(0);
  });

  it("is how far apart the two are", () => {
    expect(of([1, 2, 5], [1, 6, 5])).toBe(3);
    expect(of([1, 2, 5], [9, 6, 5])).toBe(4);
  });

  it("is what looking at every pair says", () => {
    const pair = fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 }));
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 30 }), (pairs) => {
        const swaps = pairs.flatMap(([a, x]) => pairs.map(([b, y]) => (a < b && x > y ? b - a : 0)));
        expect(
          of(
            pairs.map(([a]) => a),
            pairs.map(([, x]) => x),
          ),
        ).toBe(Math.max(0, ...swaps));
      }),
      { numRuns: 1_000 },
    );
  });
});
