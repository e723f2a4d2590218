import { describe, expect, it } from "vitest";

import { type Attempt, highestHeld, leastMissed, nextRampRate, nextRate, type RampStep } from "./search.js";

/** Tries rates with a pipeline that can hold this many. */
function found(
  first: number,
  capacity: number,
  most = 10,
): { readonly attempts: Attempt[]; readonly rate: number | undefined } {
  const attempts: Attempt[] = [];
  for (let rate = nextRate(first, attempts, most); rate !== undefined; rate = nextRate(first, attempts, most))
    attempts.push({ offered: rate, held: rate <= capacity });
  return { attempts, rate: highestHeld(attempts) };
}

describe("the search for the highest rate that is held", () => {
  it.each([
    [500, 1_000],
    [1_000, 1_000],
    [2_000, 1_000],
    [1_000, 130],
  ])("from %d finds %d to a few percent", (first, capacity) => {
    const { rate } = found(first, capacity, 20);
    expect(rate).toBeLessThanOrEqual(capacity);
    expect(rate).toBeGreaterThan(capacity * 0.93);
  });

  it("ends after as many attempts as there are", () => {
    expect(found(100, 115, 3).attempts).toHaveLength(3);
    expect(found(100, 10_000, 3).attempts).toHaveLength(4);
  });

  it("goes on until a rate is held: that none of a few was does not say how much is", () => {
    const { rate } = found(1_000, 430, 2);
    expect(rate).toBeLessThanOrEqual(430);
    expect(rate).toBeGreaterThan(330);
  });

  it("gives up in the end", () => {
    expect(found(1_000, 1, 2)).toMatchObject({ rate: undefined });
    expect(found(1_000, 1, 2).attempts).toHaveLength(6);
  });

  it("knows the least rate that was too much", () => {
    const attempts = [
      { offered: 100, held: false },
      { offered: 120, held: true },
      { offered: 180, held: false },
      { offered: 150, held: false },
    ];
    expect(leastMissed(attempts)).toBe(150);
    expect(leastMissed(attempts.slice(0, 2))).toBeUndefined();
  });

  it("ends when nothing is held", () => {
    expect(found(3, 0, 2).rate).toBeUndefined();
  });

  it("never tries the same rate twice", () => {
    const { attempts } = found(10, 12, 50);
    expect(new Set(attempts.map(({ offered }) => offered)).size).toBe(attempts.length);
  });
});

describe("the ramp", () => {
  /** With a pipeline that holds this many, and decides somewhat less when it is offered more. */
  function ramped(first: number, capacity: number): RampStep[] {
    const steps: RampStep[] = [];
    for (let rate = nextRampRate(first, steps, 1.5); rate !== undefined; rate = nextRampRate(first, steps, 1.5))
      steps.push({
        offered: rate,
        held: rate <= capacity,
        decidedPerSecond: rate <= capacity ? rate : 0.8 * capacity,
      });
    return steps;
  }

  it.each([
    [2_500, 6_000],
    [2_500, 2_600],
    [2_500, 260],
    [100, 260],
  ])("from %d on comes close to %d in few steps", (first, capacity) => {
    const steps = ramped(first, capacity);
    expect(highestHeld(steps)).toBeLessThanOrEqual(capacity);
    expect(highestHeld(steps)! * 1.6).toBeGreaterThan(capacity);
    expect(steps.length).toBeLessThanOrEqual(6);
  });

  it("falls by no more than four at once, and never below one", () => {
    const stuck = { held: false, decidedPerSecond: 0 };
    expect(nextRampRate(1_000, [{ offered: 1_000, ...stuck }], 1.5)).toBe(250);
    expect(nextRampRate(1_000, [{ offered: 1, ...stuck }], 1.5)).toBe(1);
  });
});
