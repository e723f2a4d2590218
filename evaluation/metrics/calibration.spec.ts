import { describe, expect, it } from "vitest";

import { calibrationOf } from "./calibration.js";

describe("calibration", () => {
  it("sets the frauds that there are beside those that there should be, by probability", () => {
    expect(
      calibrationOf({ scores: Float64Array.of(0, 0.001, 0.6, 0.65, 1), frauds: Uint8Array.of(0, 0, 1, 0, 1) }),
    ).toEqual([
      { transactions: 2, from: 0, to: 0.001, expected: 0.001, frauds: 0 },
      { transactions: 2, from: 0.6, to: 0.65, expected: 1.25, frauds: 1 },
      { transactions: 1, from: 1, to: 1, expected: 1, frauds: 1 },
    ]);
  });
});
