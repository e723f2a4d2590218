/** Why no more transactions are accepted. */
export interface Overload {
  /** How long something new would wait. */
  readonly backlogSeconds: number;
  /** The bound beyond which no more are accepted. */
  readonly maxSeconds: number;
  /** After how long it is worth trying again. */
  readonly retryAfterSeconds: number;
}

/**
 * It closes at the bound and opens again at this share of it: commits come in steps, and the door must not flap with
 * them.
 */
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
    // As long as nothing else comes in, a second of backlog is worked off in a second. For a pipeline that stands
    // still, nothing can be said.
    else
      this.#overload = {
        backlogSeconds: seconds,
        maxSeconds,
        retryAfterSeconds: Math.min(Math.max(1, Math.ceil(seconds - openAt)), LONGEST_RETRY_SECONDS),
      };
  }
}
