/**
 * How long work on requests may go on before the event loop gets its turn, in milliseconds: whatever else the process
 * does meanwhile, such as answering health checks, waits about twice as long at worst.
 */
const TURN_MS = 4;

/**
 * The share of that for one request that takes longer: in each turn the small ones come first, and wait no longer for
 * it than this.
 */
export const SHARE_MS = 2;

/**
 * When this turn's time is up; `undefined` while no work has begun in it. There is only one, as there is only one event
 * loop.
 */
let endsAtMs: number | undefined;
const waiting: (() => void)[] = [];
/** One of these has its share of each turn. */
const long: (() => void)[] = [];

/**
 * Does a piece of work: now if this turn of the event loop has time left for it, otherwise in a later one, after those
 * that are already waiting.
 */
export function inTurn(work: () => void): void {
  if (waiting.length > 0 || turnIsOver()) {
    waiting.push(work);
    return;
  }
  beginTurn();
  work();
}

/**
 * Begins a piece of work that may be long, when those before it are done. It should stop after {@link SHARE_MS}, and go
 * on by {@link inNextTurn}.
 */
export function asLongWork(work: () => void): void {
  beginTurn();
  long.push(work);
}

/**
 * Does the rest of a long piece of work in the next turn, before other long ones: work that has begun holds memory,
 * work that waits to begin does not yet.
 */
export function inNextTurn(rest: () => void): void {
  beginTurn();
  long.unshift(rest);
}

/** How many pieces of long work have more to do. */
export const longWork = (): number => long.length;

/** Whether a piece of work should stop here, and go on by {@link inTurn} or {@link inNextTurn}. */
export function turnIsOver(): boolean {
  return endsAtMs !== undefined && performance.now() >= endsAtMs;
}

/** Called when work begins that may be long: from now on its time counts. */
function beginTurn(): void {
  if (endsAtMs !== undefined) return;
  endsAtMs = performance.now() + TURN_MS;
  setImmediate(next);
}

/**
 * Does the same work for each item, in as many turns as it takes; other work gets its turns in between.
 *
 * @returns rejects with what `work` throws; after that no further item is worked on
 */
export function eachInTurn<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
  const rest = items[Symbol.iterator]();
  return new Promise((resolve, reject) => {
    const goOn = (): void => {
      const untilMs = performance.now() + SHARE_MS;
      try {
        for (let item = rest.next(); item.done !== true; item = rest.next()) {
          work(item.value);
          if (performance.now() >= untilMs) return asLongWork(goOn);
        }
        resolve();
      } catch (error) {
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever was thrown
        reject(error);
      }
    };
    inTurn(goOn);
  });
}

function next(): void {
  endsAtMs = undefined;
  if (waiting.length === 0 && long.length === 0) return;
  beginTurn();
  while (waiting.length > 0) {
    waiting.shift()!();
    if (turnIsOver()) break;
  }
  long.shift()?.();
}
