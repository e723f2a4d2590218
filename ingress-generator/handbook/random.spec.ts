import { describe, expect, it } from "vitest";

import { NumpyRandom } from "./numpy-random.js";
import { PythonRandom } from "./python-random.js";

const times = <T>(count: number, draw: () => T): T[] => Array.from({ length: count }, draw);
const range = (n: number): number[] => Array.from({ length: n }, (_, at) => at);

// The numbers were printed by numpy 2.4.6, pandas 3.1.1 and CPython 3.11.
describe("numpy's legacy generator", () => {
  it.each([
    [0, [0.5488135039273248, 0.7151893663724195, 0.6027633760716439]],
    [1, [0.417022004702574, 0.7203244934421581, 0.00011437481734488664]],
    [4_999, [0.860116575650342, 0.3133498511713869, 0.6944061695301506]],
    [2 ** 32 - 1, [0.0976320289940138, 0.9123828453026218, 0.78903530185164]],
  ])("begins with the same numbers after seed(%d)", (seed, expected) => {
    const random = new NumpyRandom(seed);
    expect(times(3, () => random.uniform(0, 1))).toEqual(expected);
  });

  it("gives the same uniform, normal and Poisson numbers", () => {
    const uniform = new NumpyRandom(7);
    expect(times(3, () => uniform.uniform(5, 100))).toEqual([12.249287490525932, 79.09228526281089, 46.64887698688488]);
    const normal = new NumpyRandom(7);
    expect(times(5, () => normal.normal(43_200, 20_000))).toEqual([
      77010.51407600712, 33881.25258918334, 43856.40327357169, 51350.32565993015, 27421.53942748523,
    ]);
    const poisson = new NumpyRandom(7);
    expect([0, 0.1, 3.9, 3.9, 9.9, 9.9, 2].map((rate) => poisson.poisson(rate))).toEqual([0, 0, 6, 5, 9, 13, 2]);
    expect(() => poisson.poisson(10)).toThrow("below 10");
  });

  it("goes on where it was after a normal number: the second one of the pair takes nothing", () => {
    const random = new NumpyRandom(7);
    expect([random.normal(0, 1), random.uniform(0, 1), random.normal(0, 1), random.poisson(3)]).toEqual([
      1.690525703800356, 0.9779895119966027, -0.4659373705408328, 2,
    ]);
  });

  it.each([
    [0, [9_394, 898], [398, 3_833, 4_836]],
    [7, [1_977, 3_880], [3_406, 757, 3_624]],
    [181, [8_036, 7_289], [4_314, 3_945, 4_038]],
  ])("chooses without repetition as pandas' sample(random_state=%d) does", (seed, two, three) => {
    expect(new NumpyRandom(seed).choice(10_000, 2)).toEqual(two);
    expect(new NumpyRandom(seed).choice(5_000, 3)).toEqual(three);
  });

  it("can choose all", () => {
    expect(new NumpyRandom(3).choice(10, 10)).toEqual([5, 4, 1, 2, 9, 6, 7, 0, 3, 8]);
  });
});

describe("CPython's random", () => {
  it.each([
    [0, [49, 53, 5, 33, 65, 62, 51, 38, 61, 45, 74, 27], 288],
    [1, [17, 72, 8, 32, 15, 63, 57, 60, 48, 26, 12, 62], 914],
    [4_999, [20, 23, 14, 6, 2, 35, 60, 6, 33, 43, 0, 42], 849],
  ])("chooses the same after seed(%d)", (seed, expected, last) => {
    const random = new PythonRandom(seed);
    expect(times(12, () => random.choice(range(75)))).toEqual(expected);
    // Of one there is nothing to choose, and yet it takes bits.
    expect(random.choice([1])).toBe(1);
    expect(random.choice(range(1_000))).toBe(last);
  });

  it("samples the same, of few by taking from a copy, of many by what is taken", () => {
    const few = new PythonRandom(5);
    expect(few.sample(range(100), 33)).toEqual([
      79, 32, 94, 45, 88, 97, 83, 67, 3, 59, 31, 93, 6, 20, 14, 47, 60, 89, 48, 69, 13, 73, 82, 1, 27, 52, 35, 23, 49,
      86, 9, 17, 56,
    ]);
    expect(new PythonRandom(5).sample(range(100_000), 8)).toEqual([
      81_644, 33_481, 97_227, 46_993, 90_498, 96_979, 85_463, 69_473,
    ]);
    const small = new PythonRandom(5);
    expect([small.sample(range(7), 2), small.sample(range(22), 5), small.sample([], 0)]).toEqual([
      [4, 2],
      [11, 20, 16, 0, 14],
      [],
    ]);
  });
});
