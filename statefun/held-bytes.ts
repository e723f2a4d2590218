/** The bytes that one request makes a server hold. */
export interface Holding {
  /** More of its body has come. @returns whether there is room for it; `false`: refuse the request */
  add(bytes: number): boolean;
  /** All of its body is there: from now on it can't be given up. */
  received(): void;
  /** What is made of it takes memory as well. */
  charge(bytes: number): void;
  /** Nothing of it is held any more. */
  release(): void;
}

interface Entry {
  bytes: number;
  readonly giveUp: () => void;
}

/**
 * Bounds the bytes of all requests together that a server receives or works on. When there is no room for more, the
 * largest body that is still arriving is given up: whoever sends little gets through beside others who send a lot, and
 * never finish.
 */
export class HeldBytes {
  readonly #max: number;
  readonly #arriving = new Set<Entry>();
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
    this.#arriving.add(entry);
    const charge = (bytes: number): void => {
      this.#bytes += bytes;
      entry.bytes += bytes;
    };
    const release = (): void => {
      this.#arriving.delete(entry);
      charge(-entry.bytes);
    };
    return {
      add: (bytes) => {
        charge(bytes);
        while (this.#bytes > this.#max) {
          const largest = this.#largest();
          // When all are at work there is none.
          if (largest === undefined || largest === entry) {
            release();
            return false;
          }
          this.#arriving.delete(largest);
          this.#bytes -= largest.bytes;
          largest.bytes = 0;
          largest.giveUp();
        }
        return true;
      },
      received: () => void this.#arriving.delete(entry),
      charge,
      release,
    };
  }

  #largest(): Entry | undefined {
    let largest: Entry | undefined;
    for (const entry of this.#arriving) if (largest === undefined || entry.bytes > largest.bytes) largest = entry;
    return largest;
  }
}
