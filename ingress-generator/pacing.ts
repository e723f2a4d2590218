/**
 * When the n-th transaction (from 0) of an open-loop schedule is due, in ms after its start: nothing that happens on
 * the way moves it.
 */
export const dueMs = (n: number, ratePerSecond: number): number => (n * 1000) / ratePerSecond;

/** How many transactions are due at a moment, in ms after the schedule's start. */
export const dueCount = (elapsedMs: number, ratePerSecond: number): number =>
  elapsedMs < 0 ? 0 : Math.floor((elapsedMs * ratePerSecond) / 1000) + 1;
