/** Pieces are copied into blocks of so many bytes. */
export const BLOCK_BYTES = 8 * 1024;
/** Of the free blocks, half go to garbage collection after so long, again and again. */
const HALVE_MS = 10_000;
const free: Buffer[] = [];
let willHalve = false;

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

  get length(): number {
    return this.#length;
  }

  /** The bytes that it takes, with what is not filled yet. */
  get room(): number {
    return this.#piece?.length ?? this.#blocks.length * BLOCK_BYTES;
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
    for (const block of this.#blocks) free.push(block);
    this.#blocks = [];
    this.#piece = undefined;
    this.#length = 0;
    halveLater();
  }

  #copy(piece: Buffer): void {
    for (let at = 0; at < piece.length;) {
      const within = this.#length % BLOCK_BYTES;
      if (within === 0) this.#blocks.push(free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES));
      const copied = piece.copy(this.#blocks.at(-1)!, within, at);
      at += copied;
      this.#length += copied;
    }
  }

  #joined(): Buffer {
    const bytes = Buffer.allocUnsafe(this.#length);
    this.#blocks.forEach((block, n) => block.copy(bytes, n * BLOCK_BYTES));
    return bytes;
  }
}

function halveLater(): void {
  if (willHalve || free.length === 0) return;
  willHalve = true;
  setTimeout(() => {
    willHalve = false;
    free.length >>= 1;
    halveLater();
  }, HALVE_MS).unref();
}
