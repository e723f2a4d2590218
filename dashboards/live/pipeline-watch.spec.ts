import { describe, expect, it } from "vitest";

import { Outages } from "./pipeline-watch.js";

describe("Outages", () => {
  it("are interruptions of what ran, not its start", () => {
    const outages = new Outages();
    outages.see(false, 0);
    outages.see(true, 1_000);
    expect([outages.count, outages.lastMs]).toEqual([0, undefined]);
    outages.see(false, 5_000);
    outages.see(false, 6_000);
    expect([outages.count, outages.lastMs]).toEqual([1, undefined]);
    outages.see(true, 9_500);
    expect([outages.count, outages.lastMs]).toEqual([1, 4_500]);
    outages.see(false, 20_000);
    expect([outages.count, outages.lastMs]).toEqual([2, 4_500]);
  });
});
