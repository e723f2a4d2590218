/** How a connection is not read for a while. */
export interface Reading<Connection> {
  readonly pause: (connection: Connection) => void;
  readonly resume: (connection: Connection) => void;
}

/** So many are read at a time. */
export const AT_A_TIME = 8;
/** Then the next ones have a turn, whether or not anything came. */
export const TURN_MS = 5;

/**
 * Of all connections on which a body is arriving, a few are read at a time, and each has its turn. What has come on
 * hundreds of connections at the same moment Node reads in one go, some 25 µs each, and whatever else there is waits
 * for all of it; so the system keeps what came on those that are not read.
 */
export class FewAtATime<Connection> {
  readonly #reading: Reading<Connection>;
  /** Those that are read. */
  readonly #read = new Set<Connection>();
  /** Those that never had a turn: most of their bodies are small, and sent by now. */
  readonly #first = new Set<Connection>();
  /** Those that had one. */
  readonly #again = new Set<Connection>();
  #nextIsNew = true;
  #timer: NodeJS.Timeout | undefined;

  constructor(reading: Reading<Connection>) {
    this.#reading = reading;
  }

  /** Some of its body is still to come. */
  began(connection: Connection): void {
    if (this.#read.size < AT_A_TIME) {
      this.#read.add(connection);
      return;
    }
    this.#first.add(connection);
    this.#reading.pause(connection);
    this.#next();
  }

  /** It is whole, or the connection is closed. */
  ended(connection: Connection): void {
    if (this.#first.delete(connection) || this.#again.delete(connection)) this.#reading.resume(connection);
    else if (this.#read.delete(connection)) this.#fill();
  }

  /** Every second one never had a turn: neither kind keeps the other waiting for good. */
  #fill(): void {
    while (this.#read.size < AT_A_TIME) {
      const isNew = this.#again.size === 0 || (this.#nextIsNew && this.#first.size > 0);
      const from = isNew ? this.#first : this.#again;
      const [next] = from;
      if (next === undefined) return;
      this.#nextIsNew = !isNew;
      from.delete(next);
      this.#read.add(next);
      this.#reading.resume(next);
    }
  }

  #next(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      let leave = this.#first.size + this.#again.size;
      for (const connection of this.#read) {
        if (leave-- <= 0) break;
        this.#read.delete(connection);
        this.#again.add(connection);
        this.#reading.pause(connection);
      }
      this.#fill();
      if (this.#first.size + this.#again.size > 0) this.#next();
    }, TURN_MS);
  }
}
