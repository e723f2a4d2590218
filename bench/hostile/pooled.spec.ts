import { describe, expect, it } from "vitest";

import { pooledTimes } from "./pooled.js";

const slice = (length: number, ms: (n: number) => number): number[] => Array.from({ length }, (_, n) => ms(n));

describe("the comparison of slices", () => {
  it("finds that nothing has changed, whatever hits both sides of a slice", () => {
    const pairs = Array.from({ length: 12 }, (_, at) => {
      const both = slice(100, (n) => 2 + (n % 10) + (at % 3 === 0 ? 30 : 0));
      return { dummy: both, attacked: both };
    });
    expect(pooledTimes(pairs, 0.99)).toEqual({ times: 1, least: 1, most: 1 });
  });

  it("is not led astray by one slice in which the machine did something else", () => {
    const pairs = Array.from({ length: 12 }, (_, at) => ({
      dummy: slice(100, (n) => 2 + n / 100),
      attacked: slice(100, (n) => 3 * (2 + n / 100) + (at === 5 && n === 99 ? 1_000 : 0)),
    }));
    const { times, least, most } = pooledTimes(pairs, 0.99);
    expect(times).toBeCloseTo(3, 1);
    expect([least, most]).toEqual([expect.closeTo(3, 1), expect.closeTo(3, 1)]);
  });

  it("says by how much slices differ", () => {
    const pairs = Array.from({ length: 12 }, (_, at) => ({
      dummy: slice(100, () => 2),
      attacked: slice(100, () => (at < 3 ? 20 : 2)),
    }));
    const { times, least, most } = pooledTimes(pairs, 0.8);
    expect(times).toBe(10);
    expect([least, most]).toEqual([1, 10]);
  });

  it("has no bound for slices in which nothing was answered", () => {
    expect(pooledTimes([{ dummy: [1, 2], attacked: [] }], 0.99).times).toBe(Infinity);
  });
});
