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

interface Entry {
  bytes: number;
  giveUp: () => void;
}

/**
 * Bounds the bytes of all requests together that a server receives or works on. When there is no room for more, the
 * largest of those that wait for their client is given up: a body that is still arriving, or an answer that is not
 * read. Whoever sends little gets through beside others who send a lot and never finish, or read nothing.
 */
export class HeldBytes {
  readonly #max: number;
  readonly #waiting = new Set<Entry>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#max = maxBytes;
  }

  /** Of all requests. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Begins with no bytes. @param giveUp - called when others need the room */
  begin(giveUp: () => void): Holding {
    const entry: Entry = { bytes: 0, giveUp };
    // Its client may go away at any moment, and what is done for it then counts no more.
    let released = false;
    this.#waiting.add(entry);
    const charge = (bytes: number): void => {
      if (released) return;
      this.#bytes += bytes;
      entry.bytes += bytes;
    };
    const release = (): void => {
      this.#waiting.delete(entry);
      charge(-entry.bytes);
      released = true;
    };
    return {
      add: (bytes) => {
        if (released) return false;
        charge(bytes);
        while (this.#bytes > this.#max) {
          const largest = this.#largest();
          // When all are at work there is none.
          if (largest === undefined || largest === entry) {
            release();
            return false;
          }
          this.#waiting.delete(largest);
          this.#bytes -= largest.bytes;
          largest.bytes = 0;
          largest.giveUp();
        }
        return true;
      },
      received: () => void this.#waiting.delete(entry),
      charge,
      waitsForClient: (how) => {
        entry.giveUp = how;
        if (!released) this.#waiting.add(entry);
      },
      goesOn: () => void this.#waiting.delete(entry),
      release,
    };
  }

  #largest(): Entry | undefined {
    let largest: Entry | undefined;
    for (const entry of this.#waiting) if (largest === undefined || entry.bytes > largest.bytes) largest = entry;
    return largest;
  }
}
