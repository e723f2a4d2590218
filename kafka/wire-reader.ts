/** Reads values of Kafka's protocol one after the other. Each throws a RangeError beyond the end. */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** How far it has come, in bytes. */
  get at(): number {
    return this.#at;
  }

  seek(at: number): void {
    if (at < this.#at || at > this.#bytes.length) throw new RangeError(`byte ${at} lies outside of what is left`);
    this.#at = at;
  }

  skip(bytes: number): void {
    this.seek(this.#at + bytes);
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  int64(): bigint {
    this.#at += 8;
    return this.#bytes.readBigInt64BE(this.#at - 8);
  }

  /** Empty where there is none. */
  string(): string {
    return this.#take(Math.max(0, this.int16())).toString();
  }

  /** Null where Kafka says so. */
  bytes(): Buffer | null {
    const length = this.int32();
    return length < 0 ? null : this.#take(length);
  }

  /** As many as are said to follow; none for null. */
  array<T>(one: () => T): T[] {
    const all: T[] = [];
    for (let left = this.int32(); left > 0; left--) all.push(one());
    return all;
  }

  varint(): number {
    const value = this.varlong();
    if (typeof value === "bigint") throw new RangeError("a number is too large");
    return value;
  }

  /** A bigint beyond 49 bits. */
  varlong(): number | bigint {
    let value = 0;
    let scale = 1;
    for (let read = 0; read < 7; read++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      // Zigzag: the lowest bit is the sign.
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      scale *= 128;
    }
    let large = BigInt(value);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      large |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return (large & 1n) === 0n ? large >> 1n : -(large >> 1n) - 1n;
    }
    throw new RangeError("a number is too long");
  }

  /** After their length as a varint; null where Kafka says so. */
  varBytes(): Buffer | null {
    const length = this.varint();
    return length < 0 ? null : this.#take(length);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new RangeError("it ends too soon");
    return byte;
  }

  #take(length: number): Buffer {
    const from = this.#at;
    this.skip(length);
    return this.#bytes.subarray(from, this.#at);
  }
}
