import { describe, expect, it } from "vitest";

import type { FeatureMatrix } from "../batch/features.js";
import { parityOf } from "./parity.js";

const matrix = (...values: number[]): FeatureMatrix => ({ columns: 2, first: 0, values: Float64Array.from(values) });
const model = {
  id: "two leaves",
  trees: [{ feature: [0], threshold: [1], left: [-1], right: [-2], leaf: [-7, 9] }],
};
const parity = (stream: FeatureMatrix, margins: number[], scoredBy = model.id) =>
  parityOf({
    names: ["a", "b"],
    stream,
    batch: matrix(1, 2, 3, 4),
    margins: Float64Array.from(margins),
    scoredBy: () => scoredBy,
    model: () => model,
  });

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
        "transaction 0: b is 3, not 2",
        "transaction 1: a is NaN, not 3",
        "transaction 1: the margin of two leaves is 8, not 9",
      ],
    });
  });

  it("fails for what another model scored, though it scored right", () => {
    expect(parity(matrix(1, 2, 3, 4), [-7, 9], "another")).toMatchObject({
      mismatches: 2,
      first: [
        "transaction 0: the model is another, not two leaves",
        "transaction 1: the model is another, not two leaves",
      ],
    });
  });
});
