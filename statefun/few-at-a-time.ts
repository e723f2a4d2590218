/** How the reading of a body is stopped for a while. */
export interface Reading<Body> {
  readonly pause: (body: Body) => void;
  readonly resume: (body: Body) => void;
}

/** So many are read at a time. */
export const AT_A_TIME = 32;
/** Then the next ones have a turn, whether or not anything came. */
export const TURN_MS = 5;

/**
 * Of all bodies that are arriving, a few are read at a time, and each has its turn. What has come on hundreds of
 * connections at the same moment Node reads in one go, some 25 µs each, and whatever else there is waits for all of it;
 * so the system keeps what came for those that are not read.
 *
 * A body that comes with its head, or in the same moment, never waits.
 */
export class FewAtATime<Body> {
  readonly #reading: Reading<Body>;
  /** Those that are read. */
  readonly #read = new Set<Body>();
  /** There was no room for them; until the end of this turn of the event loop they may come all the same. */
  readonly #begun = new Set<Body>();
  /** Those that never had a turn: most of them are small, and sent by now. */
  readonly #first = new Set<Body>();
  /** Those that had one. */
  readonly #again = new Set<Body>();
  readonly #all = [this.#read, this.#begun, this.#first, this.#again];
  #nextIsNew = true;
  #timer: NodeJS.Timeout | undefined;

  constructor(reading: Reading<Body>) {
    this.#reading = reading;
  }

  began(body: Body): void {
    if (this.#read.size < AT_A_TIME) {
      this.#read.add(body);
      return;
    }
    if (this.#begun.size === 0) setImmediate(() => this.#settle());
    this.#begun.add(body);
  }

  /** It is whole, or is not wanted. Where it waited, it stays paused. */
  ended(body: Body): void {
    for (const bodies of this.#all) bodies.delete(body);
    this.#fill();
  }

  #settle(): void {
    for (const body of this.#begun) {
      this.#first.add(body);
      this.#reading.pause(body);
    }
    this.#begun.clear();
    this.#fill();
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
    if (this.#timer === undefined && this.#waiting > 0) this.#timer = setTimeout(() => this.#next(), TURN_MS);
  }

  #next(): void {
    this.#timer = undefined;
    let leave = this.#waiting;
    for (const body of this.#read) {
      if (leave-- === 0) break;
      this.#read.delete(body);
      this.#again.add(body);
      this.#reading.pause(body);
    }
    this.#fill();
  }

  get #waiting(): number {
    return this.#first.size + this.#again.size;
  }
}
