/** Up to here a double can take in another such number and stay exact. */
const HALF = 2 ** 52;
/** Below it a square is below {@link HALF}. */
const ROOT = 2 ** 26;

/** A sum of whole numbers from 0 to 2^52: exact however large it grows, and as fast as doubles while it is small. */
export class ExactSum {
  #low = 0;
  #high: bigint;

  /** @param start - what it begins with */
  constructor(start = 0n) {
    this.#high = start;
  }

  add(value: number): void {
    this.#low += value;
    if (this.#low < HALF) return;
    this.#high += BigInt(this.#low);
    this.#low = 0;
  }

  addSquareOf(value: number): void {
    if (value < ROOT) this.add(value * value);
    else this.#high += BigInt(value) * BigInt(value);
  }

  get value(): bigint {
    return this.#high + BigInt(this.#low);
  }
}
