import { MersenneTwister } from "./mersenne-twister.js";

/** From here on numpy draws Poisson numbers in another way, which nothing here needs. */
const SMALL_RATE = 10;

/** What is used of `numpy.random.RandomState(seed)`: the legacy generator, whose numbers never change. */
export class NumpyRandom {
  readonly #twister: MersenneTwister;
  /** Gaussian numbers come in pairs. */
  #secondGauss: number | undefined;

  constructor(seed: number) {
    this.#twister = MersenneTwister.seeded(seed);
  }

  uniform = (low: number, high: number): number => low + (high - low) * this.#twister.fraction();

  /** By the polar method. */
  normal(mean: number, deviation: number): number {
    return mean + deviation * this.#gauss();
  }

  /** By multiplication. @param rate - below 10 */
  poisson(rate: number): number {
    if (rate >= SMALL_RATE) throw new RangeError(`a rate of ${rate}: only those below ${SMALL_RATE} can be drawn`);
    if (rate === 0) return 0;
    const limit = Math.exp(-rate);
    let count = 0;
    for (let product = this.#twister.fraction(); product > limit; product *= this.#twister.fraction()) count++;
    return count;
  }

  /**
   * `count` of the numbers 0 to `n` − 1, each once: `choice(n, size=count, replace=False)`, which is also what pandas'
   * `sample(count, random_state=seed)` takes. All are shuffled, and the first ones taken.
   */
  choice(n: number, count: number): number[] {
    const all = Array.from({ length: n }, (_, at) => at);
    for (let at = n - 1; at > 0; at--) {
      const other = this.#upTo(at);
      [all[at], all[other]] = [all[other]!, all[at]!];
    }
    return all.slice(0, count);
  }

  #gauss(): number {
    if (this.#secondGauss !== undefined) {
      const second = this.#secondGauss;
      this.#secondGauss = undefined;
      return second;
    }
    for (;;) {
      const x = 2 * this.#twister.fraction() - 1;
      const y = 2 * this.#twister.fraction() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      this.#secondGauss = factor * x;
      return factor * y;
    }
  }

  /** 0 to `max`, both included: as many bits as `max` has, until they are not more. */
  #upTo(max: number): number {
    const mask = 2 ** (32 - Math.clz32(max)) - 1;
    for (;;) {
      const value = (this.#twister.word() & mask) >>> 0;
      if (value <= max) return value;
    }
  }
}
