import { describe, expect, it } from "vitest";

import { curveOf } from "./curves.js";

describe("the curves", () => {
  it("have a point where another threshold finds more, transactions of one score together", () => {
    expect(curveOf({ scores: Float64Array.of(0.9, 0.5, 0.5, 0.1), frauds: Uint8Array.of(1, 1, 0, 0) })).toEqual([
      { recall: 0.5, falsePositives: 0, precision: 1, alerts: 0.25 },
      { recall: 1, falsePositives: 0.5, precision: 2 / 3, alerts: 0.75 },
      { recall: 1, falsePositives: 1, precision: 0.5, alerts: 1 },
    ]);
  });
});
