/** So many windows in a row that differ little say that nothing is being started any more. */
const WINDOWS = 3;
/** From the least of them to the most. */
const MOST_RATIO = 1.25;

/**
 * Whether what a start leaves to be done is done: processor time a second no longer falls from one window to the next.
 *
 * @param rates - of one window after the other, in ms of processor time a second
 */
export function hasSettled(rates: readonly number[]): boolean {
  const newest = rates.slice(-WINDOWS);
  return newest.length === WINDOWS && Math.max(...newest) <= Math.min(...newest) * MOST_RATIO;
}
