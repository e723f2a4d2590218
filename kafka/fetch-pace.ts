/** How a consumer asks for records: the broker answers when it has this many bytes, or after this long. */
export interface FetchWait {
  readonly minBytes: number;
  readonly maxWaitTime: number;
}

/** After this long without a record, the next one is the first, and need not wait for more. */
const IDLE_AFTER_MS = 1_000;
/**
 * The broker answers at once when something comes; until then it is asked twice a second, not fifty times. No less
 * often: between two fetches a consumer says that it lives, is told of other members of its group, and can end.
 */
const IDLE_WAIT: FetchWait = { minBytes: 1, maxWaitTime: 500 };

/**
 * How patiently a consumer fetches. Under load it waits a moment for many bytes, so that answers are few and large.
 * That asks the broker dozens of times a second when there is nothing at all, which is most of what a program at rest
 * does; so then it waits for a single byte, long.
 */
export class FetchPace {
  readonly #busy: FetchWait;
  #latestMs: number;

  /** @param nowMs - by a clock that never goes back */
  constructor({ minBytes, maxWaitTime }: FetchWait, nowMs: number) {
    this.#busy = { minBytes, maxWaitTime };
    this.#latestMs = nowMs;
  }

  next(nowMs: number): FetchWait {
    const idle = nowMs - this.#latestMs >= IDLE_AFTER_MS && this.#busy.maxWaitTime < IDLE_WAIT.maxWaitTime;
    return idle ? IDLE_WAIT : this.#busy;
  }

  /** Records came. */
  seen(nowMs: number): void {
    this.#latestMs = nowMs;
  }
}
