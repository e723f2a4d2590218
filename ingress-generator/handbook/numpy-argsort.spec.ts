import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { numpyArgsort } from "./numpy-argsort.js";

describe("numpy's quicksort", () => {
  it("leaves equal values in the order in which numpy 2.4 leaves them", () => {
    const values = Uint32Array.from({ length: 200 }, (_, n) => (n * n * 7919 + n * 31) % 23);
    // numpy.argsort(values.astype("M8[s]"))
    expect(Array.from(numpyArgsort(values)).slice(0, 30)).toEqual([
      0, 69, 46, 81, 92, 104, 115, 35, 127, 138, 23, 150, 161, 58, 184, 196, 12, 173, 29, 6, 190, 98, 75, 121, 144, 52,
      167, 100, 96, 4,
    ]);
  });

  it("goes over from insertion, which keeps the order of equal values, at 17", () => {
    const equal = (length: number): number[] => Array.from(numpyArgsort(new Uint32Array(length)));
    expect(equal(16)).toEqual(Array.from({ length: 16 }, (_, n) => n));
    // numpy.argsort(numpy.zeros(17, "M8[s]"))
    expect(equal(17)).toEqual([0, 14, 13, 12, 11, 10, 9, 15, 8, 6, 5, 4, 3, 2, 1, 7, 16]);
  });

  it("sorts", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 300 }), (values) => {
        const order = Array.from(numpyArgsort(Uint32Array.from(values)));
        expect(order.map((at) => values[at])).toEqual([...values].sort((a, b) => a - b));
        expect(new Set(order).size).toBe(values.length);
      }),
    );
  });
});
