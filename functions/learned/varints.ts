/** The highest bit of a byte says that there is another group of 7 bits. */
const GROUP = 128;

/** Writes whole numbers below 2^53, the small ones in few bytes. */
export class VarintWriter {
  readonly #bytes: Buffer;
  #at = 0;

  /** @param most - bytes that will be written at most: 8 a number */
  constructor(most: number) {
    this.#bytes = Buffer.allocUnsafe(most);
  }

  /** A number from 0 to 2^53 − 1. */
  put(value: number): void {
    let rest = value;
    for (; rest >= GROUP; rest = Math.floor(rest / GROUP)) this.#bytes[this.#at++] = (rest % GROUP) + GROUP;
    this.#bytes[this.#at++] = rest;
  }

  /** A number of four bytes, however large it is. */
  putUint32(value: number): void {
    this.#at = this.#bytes.writeUInt32BE(value, this.#at);
  }

  /** What has been written. */
  written(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#at));
  }
}

/** Reads what {@link VarintWriter} wrote. */
export class VarintReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  take(): number {
    let value = 0;
    for (let factor = 1; ; factor *= GROUP) {
      const group = this.#bytes[this.#at++]!;
      if (group < GROUP) return value + group * factor;
      value += (group - GROUP) * factor;
    }
  }

  takeUint32(): number {
    const value = this.#bytes.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }
}

/** A number with a sign as one without: small ones stay small. */
export const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);
/** What {@link zigzag} made a number of. */
export const unzigzag = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2);
