/** Why nothing more is taken. */
export interface Overload {
  /** How long something new would wait. */
  readonly backlogSeconds: number;
  /** Beyond which nothing more is taken. */
  readonly maxSeconds: number;
  /** When it is worth asking again. */
  readonly retryAfterSeconds: number;
}

/** Closed at the bound, open again at this share of it: commits come in steps, and the door must not flap with them. */
const OPEN_SHARE = 0.8;
const LONGEST_RETRY_SECONDS = 30;

/** Closes when the backlog is beyond a bound, and opens when it is well below. */
export class BacklogGate {
  readonly #maxSeconds: number;
  #overload: Overload | undefined;

  /** @param maxSeconds - 0: never closes */
  constructor(maxSeconds: number) {
    this.#maxSeconds = maxSeconds;
  }

  /** Undefined when it is open. */
  get overload(): Overload | undefined {
    return this.#overload;
  }

  /** @param seconds - the backlog now; undefined when it is not known, which is no reason to turn anyone away */
  update(seconds: number | undefined): void {
    const maxSeconds = this.#maxSeconds;
    const openAt = maxSeconds * OPEN_SHARE;
    if (seconds === undefined || maxSeconds === 0 || seconds <= (this.#overload === undefined ? maxSeconds : openAt))
      this.#overload = undefined;
    // As long as nothing else comes in, a second of it is worked off in a second. Of a pipeline that stands still
    // nothing is known.
    else
      this.#overload = {
        backlogSeconds: seconds,
        maxSeconds,
        retryAfterSeconds: Math.min(Math.max(1, Math.ceil(seconds - openAt)), LONGEST_RETRY_SECONDS),
      };
  }
}
