import { createHash } from "node:crypto";

import { Random } from "../random.js";

/** Terms of the series for e^x: what comes after them is below a double's last bit for x up to 16. */
const EXPONENTIAL_TERMS = 80;
/** Of the series for the logarithm, of numbers from 1/2 to 1. */
const LOGARITHM_TERMS = 20;
const LN2 = 0.6931471805599453;

/**
 * Draws by nothing but `+ − · / √`, which IEEE 754 defines to the last bit: `Math.log` and `Math.exp` may differ from
 * one machine to another.
 */
export class Draws extends Random {
  /** Gaussian numbers come in pairs. */
  #second: number | undefined;

  /** @param purpose - what is drawn: each purpose has numbers of its own, which depend on no other's */
  constructor(seed: number, purpose: string) {
    super(createHash("sha256").update(`${seed}/${purpose}`).digest().readInt32LE());
  }

  /** By the polar method. */
  normal(mean: number, deviation: number): number {
    return mean + deviation * this.#gauss();
  }

  /** How often something happens that happens `rate` times on average; by multiplication. @param rate - up to 16 */
  poisson(rate: number): number {
    const limit = 1 / exponential(rate);
    let count = 0;
    for (let product = this.fraction(); product > limit; product *= this.fraction()) count++;
    return count;
  }

  /** `count` of the numbers 0 to `below` − 1, each once. */
  some(below: number, count: number): number[] {
    const taken = new Set<number>();
    while (taken.size < count) taken.add(this.int(0, below - 1));
    return [...taken];
  }

  #gauss(): number {
    if (this.#second !== undefined) {
      const second = this.#second;
      this.#second = undefined;
      return second;
    }
    for (;;) {
      const x = 2 * this.fraction() - 1;
      const y = 2 * this.fraction() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * logarithm(square)) / square);
      this.#second = factor * x;
      return factor * y;
    }
  }
}

/** e^x, from 0 to 16. */
export function exponential(x: number): number {
  let sum = 1;
  for (let n = EXPONENTIAL_TERMS; n > 0; n--) sum = 1 + (x / n) * sum;
  return sum;
}

/** The natural logarithm of a number from 0 (excluded) to 1: twice the area tangent of (x − 1) / (x + 1). */
export function logarithm(x: number): number {
  let twos = 0;
  let rest = x;
  for (; rest < 0.5; rest *= 2) twos++;
  const z = (rest - 1) / (rest + 1);
  let sum = 0;
  for (let n = LOGARITHM_TERMS; n >= 0; n--) sum = 1 / (2 * n + 1) + z * z * sum;
  return 2 * z * sum - twos * LN2;
}
