const N = 624;
const M = 397;

/**
 * MT19937 of Matsumoto and Nishimura (2002), which numpy's legacy generator and CPython's `random` both draw from. They
 * seed it differently.
 */
export class MersenneTwister {
  readonly #state = new Uint32Array(N);
  #used = N;

  private constructor(seed: number) {
    this.#state[0] = seed;
    for (let n = 1; n < N; n++) {
      const before = this.#state[n - 1]!;
      this.#state[n] = Math.imul(1812433253, before ^ (before >>> 30)) + n;
    }
  }

  /** As `numpy.random.seed(seed)` does. @param seed - 0 to 2³² − 1 */
  static seeded = (seed: number): MersenneTwister => new MersenneTwister(seed);

  /** By the reference's `init_by_array` with one word, as `random.seed(seed)` does. @param seed - 0 to 2³² − 1 */
  static seededByArray(seed: number): MersenneTwister {
    const twister = new MersenneTwister(19650218);
    const state = twister.#state;
    let n = 1;
    const mix = (factor: number, added: (n: number) => number): void => {
      const before = state[n - 1]!;
      state[n] = (state[n]! ^ Math.imul(before ^ (before >>> 30), factor)) + added(n);
      if (++n < N) return;
      state[0] = state[N - 1]!;
      n = 1;
    };
    for (let round = 0; round < N; round++) mix(1664525, () => seed);
    for (let round = 1; round < N; round++) mix(1566083941, (at) => -at);
    state[0] = 0x80000000;
    return twister;
  }

  /** 32 random bits, as a number from 0 to 2³² − 1. */
  word(): number {
    if (this.#used === N) this.#twist();
    let y = this.#state[this.#used++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** From 0 (included) to 1 (excluded), of 53 random bits. */
  fraction(): number {
    const high = this.word() >>> 5;
    return (high * 0x4000000 + (this.word() >>> 6)) / 0x20000000000000;
  }

  #twist(): void {
    const state = this.#state;
    for (let n = 0; n < N; n++) {
      const y = (state[n]! & 0x80000000) | (state[(n + 1) % N]! & 0x7fffffff);
      state[n] = state[(n + M) % N]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#used = 0;
  }
}
