import { quantileOfSorted } from "../contract/quantile.js";

/** The last `capacity` latencies, in milliseconds, and their quantiles. */
export class Latencies {
  readonly #values: Float64Array;
  #count = 0;

  constructor(capacity: number) {
    this.#values = new Float64Array(capacity);
  }

  /** How many were added in all. */
  get count(): number {
    return this.#count;
  }

  add(ms: number): void {
    this.#values[this.#count % this.#values.length] = ms;
    this.#count++;
  }

  /** The quantiles (0 to 1) of what is kept; `undefined` each when there is nothing. */
  quantiles(...shares: number[]): (number | undefined)[] {
    const sorted = this.#values.slice(0, Math.min(this.#count, this.#values.length)).sort();
    return shares.map((share) => quantileOfSorted(sorted, share));
  }
}
