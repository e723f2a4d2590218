import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ExactSum } from "./exact-sum.js";

describe("an exact sum", () => {
  it("is what whole numbers of any size give, of numbers and of squares", () => {
    const value = fc.oneof(
      fc.nat(1_000),
      fc.integer({ min: 0, max: 2 ** 52 }),
      fc.constantFrom(2 ** 26 - 1, 2 ** 26, 10 ** 15, 2 ** 52),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n }), fc.array(value), (start, values) => {
        const sum = new ExactSum(start);
        const squares = new ExactSum(start);
        let expectedSum = start;
        let expectedSquares = start;
        for (const one of values) {
          sum.add(one);
          squares.addSquareOf(one);
          expectedSum += BigInt(one);
          expectedSquares += BigInt(one) ** 2n;
          expect(sum.value).toBe(expectedSum);
          expect(squares.value).toBe(expectedSquares);
        }
      }),
    );
  });
});
