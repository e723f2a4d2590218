import { MersenneTwister } from "./mersenne-twister.js";

/** What is used of CPython's `random.Random(seed)`. */
export class PythonRandom {
  readonly #twister: MersenneTwister;

  constructor(seed: number) {
    this.#twister = MersenneTwister.seededByArray(seed);
  }

  choice = <T>(items: readonly T[]): T => items[this.#below(items.length)]!;

  /** `count` of the items, each once, in random order. */
  sample<T>(items: readonly T[], count: number): T[] {
    const n = items.length;
    // CPython remembers which it has taken where that takes less room than a copy.
    const setSize = 21 + (count > 5 ? 4 ** Math.ceil(Math.log(count * 3) / Math.log(4)) : 0);
    if (n <= setSize) {
      const pool = [...items];
      return Array.from({ length: count }, (_, taken) => {
        const at = this.#below(n - taken);
        const item = pool[at]!;
        pool[at] = pool[n - taken - 1]!;
        return item;
      });
    }
    const taken = new Set<number>();
    while (taken.size < count) taken.add(this.#below(n));
    return Array.from(taken, (at) => items[at]!);
  }

  /** 0 to `n` − 1: as many bits as `n` has, until they are below it. */
  #below(n: number): number {
    const unused = Math.clz32(n);
    for (;;) {
      const value = this.#twister.word() >>> unused;
      if (value < n) return value;
    }
  }
}
