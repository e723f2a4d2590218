import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { BacklogEstimator } from "./backlog-estimator.js";
import { type SimulatedSample, simulate } from "./pipeline-simulation.js";

const BOUND = 60;
const checkpoints = {
  checkpointMs: fc.constantFrom(300, 1_000, 3_000),
  checkpointTakesMs: fc.constantFrom(100, 500, 2_000),
};
const closedAt = (samples: readonly SimulatedSample[]): number | undefined =>
  samples.find(({ open }) => !open)?.atSeconds;
const changes = (samples: readonly SimulatedSample[]): number =>
  samples.filter(({ open }, n) => n > 0 && open !== samples[n - 1]!.open).length;
/** Samples a second apart, from the first second on. */
function estimatorOf(
  samples: readonly (readonly [committed: number, end: number])[],
  evidenceMs = 10_000,
): BacklogEstimator {
  const estimator = new BacklogEstimator(evidenceMs);
  for (const [n, [committed, end]] of samples.entries()) estimator.observe({ atMs: (n + 1) * 1_000, committed, end });
  return estimator;
}
const repeat = <T>(count: number, one: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => one(n));

describe("the backlog", () => {
  it("is not known before the first sample, and zero when all is committed", () => {
    expect(new BacklogEstimator(10_000).seconds).toBeUndefined();
    expect(estimatorOf([[7, 7]]).seconds).toBe(0);
    expect(estimatorOf(repeat(5_000, (n) => [n, n] as const)).seconds).toBe(0);
  });

  it("is what waits, divided by the rate since the oldest came", () => {
    // 1,000 a second come and 500 are committed: after 40 s 20,000 wait.
    const estimator = estimatorOf(repeat(41, (n) => [500 * n, 1_000 * n] as const));
    expect(estimator.seconds).toBeCloseTo(40, 0);
  });

  it("is the age of the oldest where nothing is committed, counted from when it was first seen", () => {
    expect(estimatorOf([[0, 0], [0, 0], ...repeat(21, () => [0, 3] as const)]).seconds).toBe(20);
    // A group that never committed, whose topic's beginning has moved on; an intake that begins while others wait.
    expect(estimatorOf(repeat(31, () => [1_000_000, 9_000_000] as const)).seconds).toBe(30);
  });

  it("does not take a quiet group for a slow one", () => {
    // One a minute, committed within two seconds; then 600 at once.
    const quiet = repeat(300, (n) => [Math.floor((n + 58) / 60), Math.floor((n + 60) / 60)] as const);
    expect(estimatorOf([...quiet, [5, 605]]).seconds).toBeLessThan(3);
    expect(Math.max(...repeat(quiet.length, (n) => estimatorOf(quiet.slice(0, n + 1)).seconds!))).toBeLessThan(3);
  });

  it("does not believe a first commit that holds little", () => {
    // The checkpoint began just after the burst came.
    const burst = [
      [0, 10_000],
      [1, 10_000],
      [51, 10_000],
      [1_051, 10_000],
      [2_051, 10_000],
    ] as const;
    for (const length of [1, 2, 3, 4, 5])
      expect(estimatorOf([[0, 0], ...burst.slice(0, length)]).seconds).toBe(length - 1);
  });

  it("remembers through a stall what the group was capable of, and grows with what comes", () => {
    const before = repeat(41, (n) => [500 * n, 1_000 * n] as const);
    expect(estimatorOf([...before, ...repeat(200, () => [20_000, 40_000] as const)]).seconds).toBe(200);
    const stalled = repeat(35, (n) => [20_000, 41_000 + 1_000 * n] as const);
    expect(estimatorOf([...before, ...stalled.slice(0, 10)]).seconds).toBeCloseTo(60, 0);
    expect(estimatorOf([...before, ...stalled]).seconds).toBeCloseTo(110, 0);
  });

  it("begins anew when the topic or the group does", () => {
    expect(estimatorOf([...repeat(50, () => [100, 200] as const), [0, 1]]).seconds).toBe(0);
    expect(estimatorOf([...repeat(50, () => [100, 200] as const), [50, 200]]).seconds).toBe(0);
  });

  it("counts the time in which no sample could be taken", () => {
    const estimator = new BacklogEstimator(10_000);
    estimator.observe({ atMs: 0, committed: 0, end: 5 });
    estimator.observe({ atMs: 45_000, committed: 0, end: 5 });
    expect(estimator.seconds).toBe(45);
  });

  it("knows an age of hours from few samples", () => {
    const estimator = estimatorOf(repeat(20_000, (n) => [0, n + 1] as const));
    expect(estimator.seconds).toBe(19_999);
    // Then all but the newest tenth is committed.
    estimator.observe({ atMs: 20_001_000, committed: 18_000, end: 20_000 });
    expect(estimator.seconds! / 2_000).toBeGreaterThan(0.9);
    expect(estimator.seconds! / 2_000).toBeLessThan(1.5);
  });
});

describe("a pipeline", () => {
  it("that is behind for good has a backlog of as many seconds as what comes then waits", () => {
    fc.assert(
      fc.property(
        fc.record({
          capacity: fc.integer({ min: 50, max: 5_000 }),
          overload: fc.double({ min: 1.2, max: 5, noNaN: true }),
          ...checkpoints,
          firstOffset: fc.nat(1e12),
        }),
        ({ capacity, overload, ...pipeline }) => {
          const samples = simulate({
            ...pipeline,
            seconds: 1_100,
            maxSeconds: 0,
            evidenceMs: 10_000,
            capacity: () => capacity,
            arriving: (at) => (at < 200 ? capacity * overload : 0),
          });
          const looked = samples.filter(({ atSeconds, waited }) => atSeconds >= 45 && atSeconds < 200 && waited! >= 30);
          expect(looked.length).toBeGreaterThan(20);
          for (const { atSeconds, estimate, waited } of looked)
            expect(Math.abs(estimate / waited! - 1), `at ${atSeconds} s`).toBeLessThan(0.2);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("that decides everything well within the bound turns nobody away, whatever comes", () => {
    const load = fc.array(
      fc.record({
        seconds: fc.integer({ min: 1, max: 60 }),
        share: fc.oneof(
          fc.constant(0),
          fc.constant(0.001),
          fc.double({ min: 0, max: 1, noNaN: true }),
          fc.double({ min: 1, max: 20, noNaN: true }),
        ),
      }),
      { minLength: 1, maxLength: 6 },
    );
    let held = 0;
    fc.assert(
      fc.property(
        fc.record({ capacity: fc.integer({ min: 50, max: 5_000 }), load, ...checkpoints }),
        ({ capacity, load: stretches, ...pipeline }) => {
          const share = (at: number): number => {
            let until = 0;
            return stretches.find(({ seconds }) => at < (until += seconds))?.share ?? 0;
          };
          const samples = simulate({
            ...pipeline,
            seconds: 400,
            maxSeconds: BOUND,
            capacity: () => capacity,
            arriving: (at) => capacity * share(at),
          });
          fc.pre(Math.max(...samples.map(({ waited }) => waited ?? 0)) < 0.75 * BOUND);
          held++;
          expect(closedAt(samples)).toBeUndefined();
        },
      ),
      { numRuns: 150, seed: 1 },
    );
    expect(held).toBeGreaterThan(50);
  });

  it("that stands still turns clients away when the bound has passed, and takes them again when it has caught up", () => {
    fc.assert(
      fc.property(
        fc.record({
          capacity: fc.integer({ min: 50, max: 5_000 }),
          share: fc.double({ min: 0.05, max: 0.5, noNaN: true }),
          stallsFor: fc.integer({ min: BOUND + 15, max: 300 }),
          ...checkpoints,
        }),
        ({ capacity, share, stallsFor, ...pipeline }) => {
          const samples = simulate({
            ...pipeline,
            seconds: 900,
            maxSeconds: BOUND,
            capacity: (at) => (at >= 100 && at < 100 + stallsFor ? 0 : capacity),
            arriving: (_, open) => (open ? capacity * share : 0),
          });
          const closed = closedAt(samples)!;
          expect(closed).toBeGreaterThan(100 + BOUND / 2);
          expect(closed).toBeLessThan(100 + BOUND + 3);
          // At most half the bound's work, and a few checkpoints.
          expect(samples.find(({ atSeconds, open }) => open && atSeconds > closed)!.atSeconds).toBeLessThan(
            100 + stallsFor + BOUND / 2 + 15,
          );
          expect(changes(samples)).toBe(2);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("that is offered more than it can hold lets in as much as it can, at a wait near the bound, and does not flap", () => {
    fc.assert(
      fc.property(
        fc.record({
          capacity: fc.integer({ min: 50, max: 5_000 }),
          overload: fc.double({ min: 1.3, max: 5, noNaN: true }),
          ...checkpoints,
        }),
        ({ capacity, overload, ...pipeline }) => {
          const samples = simulate({
            ...pipeline,
            seconds: 900,
            maxSeconds: BOUND,
            capacity: () => capacity,
            arriving: (at, open) => (open && at < 600 ? capacity * overload : 0),
          });
          const during = samples.filter(({ atSeconds, waited }) => atSeconds < 600 && waited !== undefined);
          expect(Math.max(...during.filter(({ open }) => open).map(({ waited }) => waited!))).toBeLessThan(
            BOUND * 1.25 + 8,
          );
          // Nor does it run dry meanwhile.
          expect(
            Math.min(...during.filter(({ atSeconds }) => atSeconds > 250).map(({ waited }) => waited!)),
          ).toBeGreaterThan(BOUND / 2);
          expect(changes(samples)).toBeLessThan(600 / 5);
          expect(samples.at(-1)!.open).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});
