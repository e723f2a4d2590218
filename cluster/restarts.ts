/** A process that lived this long was well: what ends it then is a new matter. */
const STEADY_MS = 60_000;
const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 15_000;
/** From here on it is said that a part cannot go on as things are. */
export const KEEPS_DYING = 5;

/**
 * When a part that ended is started again: at once, and later each time that it soon ends again, but for ever. What it
 * lacks may come back: a full disk gets room, another part its data.
 */
export class Restarts {
  /** Ends in a row, each soon after its start. */
  #inARow = 0;

  /**
   * A process of the part has ended.
   *
   * @param livedMs - how long it had lived; 0: it could not be started
   * @param onPurpose - it was killed by its supervisor, which says nothing about whether it can run
   */
  ended(livedMs: number, onPurpose: boolean): void {
    if (onPurpose) return;
    this.#inARow = livedMs >= STEADY_MS ? 1 : this.#inARow + 1;
  }

  /** How long to wait before the next start, in ms. */
  get delayMs(): number {
    return Math.min(FIRST_DELAY_MS * 2 ** Math.max(0, this.#inARow - 1), MAX_DELAY_MS);
  }

  /** Whether it has just ended for the fifth time in a row: worth telling, once. */
  get keepsDying(): boolean {
    return this.#inARow === KEEPS_DYING;
  }
}
