import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";

/** Numbers that depend on the seed alone, on every machine. */
export class Random {
  readonly #generator: RandomGenerator;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed | 0);
  }

  /** From 0 (included) to 1 (excluded). */
  fraction(): number {
    return uniformFloat64(this.#generator);
  }

  /** A whole number, both ends included. */
  int(min: number, max: number): number {
    return uniformInt(this.#generator, min, max);
  }

  between(min: number, max: number): number {
    return min + this.fraction() * (max - min);
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)]!;
  }
}

/** Ranks 0 to n − 1, rank r with a probability in proportion to 1 / (r + 1). */
export class Zipf {
  readonly #cumulative: Float64Array;

  constructor(n: number) {
    this.#cumulative = new Float64Array(n);
    let sum = 0;
    for (let rank = 0; rank < n; rank++) this.#cumulative[rank] = sum += 1 / (rank + 1);
  }

  rank(random: Random): number {
    const target = random.fraction() * this.#cumulative.at(-1)!;
    let low = 0;
    let high = this.#cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#cumulative[middle]! <= target) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
