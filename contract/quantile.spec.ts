import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { quantile } from "./quantile.js";

describe("a quantile", () => {
  it("is one of the values, by nearest rank", () => {
    const hundred = Array.from({ length: 100 }, (_, n) => 100 - n);
    expect([0, 0.5, 0.99, 1].map((share) => quantile(hundred, share))).toEqual([1, 50, 99, 100]);
    expect(quantile([7], 0.99)).toBe(7);
    expect(quantile([], 0.5)).toBeUndefined();
  });

  it("has at least its share of the values at or below it, and is the least that has", () => {
    const value = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1 }), fc.integer({ min: 1, max: 1_000 }), (values, permille) => {
        const found = quantile(values, permille / 1_000)!;
        const upTo = (limit: number, itself: boolean): number =>
          values.filter((one) => one < limit || (itself && one === limit)).length;
        expect(upTo(found, true)).toBeGreaterThanOrEqual(Math.ceil((permille / 1_000) * values.length));
        expect(upTo(found, false)).toBeLessThan(Math.ceil((permille / 1_000) * values.length));
      }),
    );
  });
});
