interface Waiter<T> {
  readonly accepts: (value: T) => boolean;
  readonly resolve: (value: T | undefined) => void;
}

/** Clients that wait for news of something, each for a bounded time. */
export class Waiters<T> {
  readonly #byKey = new Map<string, Set<Waiter<T>>>();
  #stopped = false;

  /**
   * Waits for news of a key.
   *
   * @param accepts - whether the news is what is waited for
   * @param gone - aborted when the client has gone away
   * @returns `undefined` when the time is up, or when all waiting was ended
   */
  async wait(
    key: string,
    timeoutMs: number,
    accepts: (value: T) => boolean = () => true,
    gone?: AbortSignal,
  ): Promise<T | undefined> {
    if (this.#stopped || gone?.aborted === true) return undefined;
    const waiters = this.#byKey.get(key) ?? new Set();
    this.#byKey.set(key, waiters);
    let timer: NodeJS.Timeout | undefined;
    let waiter: Waiter<T> | undefined;
    let leave: (() => void) | undefined;
    try {
      return await new Promise((resolve) => {
        waiter = { accepts, resolve };
        waiters.add(waiter);
        leave = () => resolve(undefined);
        timer = setTimeout(leave, timeoutMs);
        gone?.addEventListener("abort", leave);
      });
    } finally {
      clearTimeout(timer);
      gone?.removeEventListener("abort", leave!);
      waiters.delete(waiter!);
      if (waiters.size === 0 && this.#byKey.get(key) === waiters) this.#byKey.delete(key);
    }
  }

  /** Tells those who wait for a key. @param news - is made only when someone waits */
  tell(key: string, news: () => T): void {
    const waiters = this.#byKey.get(key);
    if (waiters === undefined) return;
    const value = news();
    for (const { accepts, resolve } of waiters) if (accepts(value)) resolve(value);
  }

  /** Ends all waiting. */
  stop(): void {
    this.#stopped = true;
    for (const waiters of this.#byKey.values()) for (const { resolve } of waiters) resolve(undefined);
  }
}
