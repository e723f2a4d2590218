import { describe, expect, it } from "vitest";

import { Outages, RestartQuestions } from "./pipeline-watch.js";

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

describe("a job's restarts", () => {
  it("are asked for at each look while it does not run, and for a while after; then at every fifth", () => {
    const questions = new RestartQuestions();
    const asked = (looks: number, running: boolean): number =>
      Array.from({ length: looks }, () => questions.due(running)).filter(Boolean).length;
    expect(asked(20, false)).toBe(20);
    expect(asked(10, true)).toBe(10);
    expect(asked(50, true)).toBe(10);
    expect(asked(1, false)).toBe(1);
    expect(asked(10, true)).toBe(10);
  });
});
