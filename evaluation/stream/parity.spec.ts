import { describe, expect, it } from "vitest";

import type { FeatureMatrix } from "../batch/features.js";
import { parityOf } from "./parity.js";

const matrix = (...values: number[]): FeatureMatrix => ({ columns: 2, first: 0, values: Float64Array.from(values) });
const model = {
  id: "two leaves",
  trees: [{ feature: [0], threshold: [1], left: [-1], right: [-2], leaf: [-7, 9] }],
};
const parity = (stream: FeatureMatrix, margins: number[], scored = model) =>
  parityOf(["a", "b"], stream, Float64Array.from(margins), matrix(1, 2, 3, 4), () => scored);

describe("parity of the stream and the data set", () => {
  it("holds when every feature and every score is the same", () => {
    expect(parity(matrix(1, 2, 3, 4), [-7, 9])).toEqual({ features: 2, transactions: 2, mismatches: 0, first: [] });
  });

  it("counts and names each feature that differs, is missing, or was scored otherwise", () => {
    expect(parity(matrix(1, 3, NaN, 4), [-7, 8])).toEqual({
      features: 2,
      transactions: 2,
      mismatches: 3,
      first: [
        "transaction 0: b is 3, from the data set 2",
        "transaction 1: a is NaN, from the data set 3",
        "transaction 1: the margin of two leaves is 8, from the data set 9",
      ],
    });
  });

  it("fails for a transaction that none of the models scored", () => {
    const found = parityOf(["a"], matrix(1, 2), Float64Array.of(0), matrix(1, 2), () => undefined);
    expect(found.mismatches).toBe(1);
  });
});
