/** Pieces are copied into blocks of so many bytes, or of fewer where no body may have as many. */
export const BLOCK_BYTES = 64 * 1024;
/** Blocks of so many bytes are kept for the next bodies; what is more goes to garbage collection. */
const MOST_FREE_BYTES = 128 * BLOCK_BYTES;
/** By their size. */
const free = new Map<number, Buffer[]>();

/**
 * The bytes of a body, which come in pieces. They lie in blocks that are used again and again: room that grows with
 * each body, and most of all with those that never end, would make garbage collection run several times a second, and
 * each run holds up everybody. What a client has announced takes no memory until it arrives, and a piece no more than
 * its bytes: kept by itself, one of a byte would take a hundred.
 */
export class Gathered {
  /** The only piece so far, which is not copied: most bodies are one. It is the client's memory. */
  #piece: Buffer | undefined;
  #blocks: Buffer[] = [];
  #length = 0;
  readonly #blockBytes: number;
  readonly #free: Buffer[];

  /** @param maxBytes - the most that it may be given */
  constructor(maxBytes = BLOCK_BYTES) {
    this.#blockBytes = Math.min(maxBytes, BLOCK_BYTES);
    this.#free = free.get(this.#blockBytes) ?? [];
    free.set(this.#blockBytes, this.#free);
  }

  get length(): number {
    return this.#length;
  }

  add(piece: Buffer): void {
    if (this.#length === 0) {
      this.#piece = piece;
      this.#length = piece.length;
      return;
    }
    if (this.#piece !== undefined) {
      const first = this.#piece;
      this.#piece = undefined;
      this.#length = 0;
      this.#copy(first);
    }
    this.#copy(piece);
  }

  /** All bytes; after that it is empty. */
  take(): Buffer {
    const bytes = this.#piece ?? this.#joined();
    this.drop();
    return bytes;
  }

  /** Gives back what it holds. */
  drop(): void {
    for (const block of this.#blocks) {
      if (this.#free.length * this.#blockBytes >= MOST_FREE_BYTES) break;
      this.#free.push(block);
    }
    this.#blocks = [];
    this.#piece = undefined;
    this.#length = 0;
  }

  #copy(piece: Buffer): void {
    for (let at = 0; at < piece.length;) {
      const within = this.#length % this.#blockBytes;
      if (within === 0) this.#blocks.push(this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#blockBytes));
      const copied = piece.copy(this.#blocks.at(-1)!, within, at);
      at += copied;
      this.#length += copied;
    }
  }

  #joined(): Buffer {
    const bytes = Buffer.allocUnsafe(this.#length);
    this.#blocks.forEach((block, n) => block.copy(bytes, n * this.#blockBytes));
    return bytes;
  }
}
