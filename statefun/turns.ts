/**
 * How long requests of many calls may work before the event loop gets its turn, in milliseconds: what else the process
 * does meanwhile, such as answering whether it is healthy, waits about twice as long at worst.
 */
const TURN_MS = 20;

/** When this turn's time is up; `undefined` while nobody has begun to work in it. One for all: so is the event loop. */
let endsAtMs: number | undefined;
const waiting: (() => void)[] = [];

/**
 * Does a piece of work: now if this turn of the event loop has time left for it, otherwise in a later one, after those
 * that wait already.
 */
export function inTurn(work: () => void): void {
  if (waiting.length > 0 || turnIsOver()) {
    waiting.push(work);
    return;
  }
  begin();
  work();
}

/** Whether a piece of work should stop here, and go on by {@link inTurn}. */
export function turnIsOver(): boolean {
  return endsAtMs !== undefined && performance.now() >= endsAtMs;
}

function begin(): void {
  if (endsAtMs !== undefined) return;
  endsAtMs = performance.now() + TURN_MS;
  setImmediate(next);
}

function next(): void {
  endsAtMs = undefined;
  if (waiting.length === 0) return;
  begin();
  do waiting.shift()!();
  while (waiting.length > 0 && !turnIsOver());
}
