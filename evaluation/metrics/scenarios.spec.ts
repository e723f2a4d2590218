import { describe, expect, it } from "vitest";

import { recallByScenario } from "./scenarios.js";

describe("recall by scenario", () => {
  it("is the share of each kind of fraud among the half percent that is scored highest", () => {
    const scores = Float64Array.from({ length: 400 }, (_, n) => n / 400);
    const scenarios = new Map([
      [399, 1],
      [398, 2],
      [397, 2],
    ]);
    const found = recallByScenario({ scores }, (place) => scenarios.get(place) ?? 0);
    expect(found.map(({ frauds, recallAt05 }) => [frauds, recallAt05])).toEqual([
      [1, 1],
      [2, 0.5],
      [0, NaN],
    ]);
  });
});
