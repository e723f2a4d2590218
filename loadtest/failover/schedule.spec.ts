import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ALL_FAULTS, comesOnce, FAULT_KINDS, fits, namedFaults, schedule } from "./schedule.js";

const first = (seed: number, count: number, kinds = ALL_FAULTS) => {
  const faults = schedule(kinds, seed);
  return Array.from({ length: count }, () => faults.next().value);
};

describe("the schedule of faults", () => {
  it("is the same for the same seed, and different for another", () => {
    expect(first(7, 40)).toEqual(first(7, 40));
    expect(first(8, 40)).not.toEqual(first(7, 40));
  });

  it("has every kind once before any comes again", () => {
    fc.assert(
      fc.property(fc.integer(), fc.subarray([...ALL_FAULTS], { minLength: 1 }), (seed, kinds) => {
        const drawn = first(seed, 2 * kinds.length, kinds).map(({ kind }) => kind);
        for (const half of [drawn.slice(0, kinds.length), drawn.slice(kinds.length)])
          expect(half.toSorted()).toEqual(kinds.toSorted());
      }),
    );
  });

  it('takes "all" to mean all kinds but the long ones and what needs more than the machine has, which must be named', () => {
    expect(FAULT_KINDS.filter((kind) => !ALL_FAULTS.includes(kind))).toEqual([
      "disk-full",
      "outage-24h",
      "overload",
      "cold-backlog",
    ]);
    // By its clock a second and a third would come near the time for which topics keep records.
    expect(FAULT_KINDS.filter(comesOnce)).toEqual(["outage-24h", "overload", "cold-backlog"]);
    expect(ALL_FAULTS).toContain("busy-machine");
    expect(namedFaults("all")).toEqual(ALL_FAULTS);
    expect(namedFaults("all, cold-backlog,kill-kafka")).toEqual([...ALL_FAULTS, "cold-backlog"]);
    expect(namedFaults("overload")).toEqual(["overload"]);
    expect(() => namedFaults("all,overlode")).toThrow("there is no fault overlode: there are all, kill-taskmanager");
  });

  it("lets nothing begin that would not be over in time", () => {
    expect(fits("rolling-upgrade", 30_000)).toBe(false);
    expect(fits("kill-functions", 30_000)).toBe(true);
  });
});
