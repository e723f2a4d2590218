/** The bytes that one request makes a server hold. */
export interface Holding {
  /** More of its body has come. @returns whether there is room for it; `false`: refuse the request */
  add(bytes: number): boolean;
  /** All of its body is there: from now on it can't be given up. */
  received(): void;
  /** What is made of it takes memory as well. */
  charge(bytes: number): void;
  /** Its client must read before it goes on: when others need the room it is given up, by this. */
  waitsForClient(giveUp: () => void): void;
  /** Its client has read. */
  goesOn(): void;
  /** Nothing of it is held any more, whatever comes after this. */
  release(): void;
}

/** What all have together. */
interface All {
  readonly maxBytes: number;
  readonly waiting: Set<One>;
  bytes: number;
}

/**
 * Bounds the bytes of all requests together that a server receives or works on. When there is no room for more, the
 * largest of those that wait for their client is given up: a body that is still arriving, or an answer that is not
 * read. Whoever sends little gets through beside others who send a lot and never finish, or read nothing.
 */
export class HeldBytes {
  readonly #all: All;

  constructor(maxBytes: number) {
    this.#all = { maxBytes, waiting: new Set(), bytes: 0 };
  }

  /** Of all requests. */
  get bytes(): number {
    return this.#all.bytes;
  }

  /** Begins with no bytes. @param giveUp - called when others need the room */
  begin(giveUp: () => void): Holding {
    return new One(this.#all, giveUp);
  }
}

/** What one request holds: a class, since closures for each request cost more than all that they do. */
class One implements Holding {
  readonly #all: All;
  #giveUp: () => void;
  #bytes = 0;
  // Its client may go away at any moment, and what is done for it then counts no more.
  #released = false;

  constructor(all: All, giveUp: () => void) {
    this.#all = all;
    this.#giveUp = giveUp;
    all.waiting.add(this);
  }

  add(bytes: number): boolean {
    if (this.#released) return false;
    this.charge(bytes);
    while (this.#all.bytes > this.#all.maxBytes) {
      const largest = this.#largest();
      // When all are at work there is none.
      if (largest === undefined || largest === this) {
        this.release();
        return false;
      }
      this.#all.waiting.delete(largest);
      largest.charge(-largest.#bytes);
      largest.#giveUp();
    }
    return true;
  }

  received(): void {
    this.#all.waiting.delete(this);
  }

  charge(bytes: number): void {
    if (this.#released) return;
    this.#all.bytes += bytes;
    this.#bytes += bytes;
  }

  waitsForClient(giveUp: () => void): void {
    this.#giveUp = giveUp;
    if (!this.#released) this.#all.waiting.add(this);
  }

  goesOn(): void {
    this.#all.waiting.delete(this);
  }

  release(): void {
    this.#all.waiting.delete(this);
    this.charge(-this.#bytes);
    this.#released = true;
  }

  #largest(): One | undefined {
    let largest: One | undefined;
    for (const one of this.#all.waiting) if (largest === undefined || one.#bytes > largest.#bytes) largest = one;
    return largest;
  }
}
