import { describe, expect, it } from "vitest";

import { modelNamed } from "../../models/model-named.js";
import { alertsOf } from "./alerts-of.js";

describe("the demo's alerts", () => {
  it("are few and mostly right, as docs/detection.md says", async () => {
    // The demo's own seed, on which nothing was chosen.
    const { patterns, ...found } = await alertsOf(modelNamed("points-v3").model, 7, 20_000);
    expect(found).toEqual({
      transactions: 20_000,
      frauds: 230,
      suspicious: 91,
      suspiciousFrauds: 87,
      alerts: 51,
      alertsOnFrauds: 47,
    });
    expect(patterns.get("stolen-card")).toEqual({ frauds: 33, suspicious: 22 });
  });
});
