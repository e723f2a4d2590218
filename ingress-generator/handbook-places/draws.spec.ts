import { describe, expect, it } from "vitest";

import { Draws, exponential, logarithm } from "./draws.js";

const MANY = 200_000;
const times = (draw: () => number): number[] => Array.from({ length: MANY }, draw);
const mean = (all: readonly number[]): number => all.reduce((sum, one) => sum + one, 0) / all.length;
const variance = (all: readonly number[]): number => mean(all.map((one) => one ** 2)) - mean(all) ** 2;

describe("draws", () => {
  it("have an exponential and a logarithm that are right", () => {
    for (let x = 0; x <= 16; x += 0.01) expect(exponential(x) / Math.exp(x)).toBeCloseTo(1, 13);
    for (let x = 1; x > 1e-18; x *= 0.93) expect(logarithm(x) - Math.log(x)).toBeCloseTo(0, 13);
    expect([logarithm(1), exponential(0)]).toEqual([0, 1]);
  });

  it("are normal, and Poisson's", () => {
    const random = new Draws(1, "a spec");
    const normal = times(() => random.normal(10, 2));
    expect(mean(normal)).toBeCloseTo(10, 1);
    expect(variance(normal)).toBeCloseTo(4, 1);
    // Of a normal distribution 2.275 % lie beyond two deviations.
    expect(normal.filter((one) => one > 14).length / MANY).toBeCloseTo(0.02275, 2);
    for (const rate of [0, 0.3, 4]) {
      const counts = times(() => random.poisson(rate));
      expect(mean(counts)).toBeCloseTo(rate, 1);
      expect(Math.abs(variance(counts) - rate)).toBeLessThan(0.05);
    }
  });

  it("are the same of the same seed and purpose, others of another", () => {
    const first = (seed: number, purpose: string): number => new Draws(seed, purpose).fraction();
    expect(first(1, "a")).toBe(first(1, "a"));
    expect(new Set([first(1, "a"), first(1, "b"), first(2, "a")]).size).toBe(3);
    const some = new Draws(1, "a").some(20, 20);
    expect(some.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });
});
