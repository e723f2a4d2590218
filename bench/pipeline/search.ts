/** A rate that was tried, and whether the pipeline held it. */
export interface Attempt {
  readonly offered: number;
  readonly held: boolean;
}

const UP = 1.2;
const DOWN = 0.8;
/** Two rates that are this close are one. */
const CLOSE = 1.06;
/** So many more than were to be tried are tried while none was held. */
const MORE = 4;

/**
 * The next rate to try when the highest is looked for that is held: up until one is not, down until one is, then
 * between the two.
 *
 * @param first - the first guess
 * @param most - after this many attempts what was held is close enough; after one more when all were held; while none
 *   was, the search goes on downwards for a few more
 * @returns a whole number a second; `undefined` when it is known well enough, or enough was tried
 */
export function nextRate(first: number, attempts: readonly Attempt[], most: number): number | undefined {
  if (attempts.length === 0) return Math.max(1, Math.round(first));
  const held = highestHeld(attempts);
  const missed = Math.min(...attempts.filter((one) => !one.held).map(({ offered }) => offered));
  if (held !== undefined && attempts.length >= (missed === Infinity ? most + 1 : most)) return undefined;
  if (attempts.length >= most + MORE) return undefined;
  if (held === undefined) return missed > 1 ? Math.max(1, Math.floor(missed * DOWN)) : undefined;
  if (missed === Infinity) return Math.ceil(held * UP);
  const between = Math.round(Math.sqrt(held * missed));
  return missed / held < CLOSE || between === held || between === missed ? undefined : between;
}

/** The highest rate that was held; one that was held although a lower one was not counts. */
export function highestHeld(attempts: readonly Attempt[]): number | undefined {
  const held = attempts.filter((one) => one.held).map(({ offered }) => offered);
  return held.length === 0 ? undefined : Math.max(...held);
}

/** The least rate that was not held above the highest that was; `undefined`: none was tried. */
export function leastMissed(attempts: readonly Attempt[]): number | undefined {
  const held = highestHeld(attempts) ?? 0;
  const missed = attempts.filter((one) => !one.held && one.offered > held).map(({ offered }) => offered);
  return missed.length === 0 ? undefined : Math.min(...missed);
}

/** A rate that was offered for a short time, and what was made of it. */
export interface RampStep extends Attempt {
  readonly decidedPerSecond: number;
}

/** Of what is decided at a rate that is too much, so much may be held. */
const DECIDED_SHARE = 0.9;
/** In one step the rate falls no further: what a short time shows may be little by chance. */
const MOST_FALL = 4;

/**
 * The next rate of a ramp: up until one is too much, or down until one is not, then up again towards that which was too
 * much.
 *
 * @param factor - how far apart two rates may be in the end
 * @returns `undefined` when it is known between which two the highest is
 */
export function nextRampRate(first: number, steps: readonly RampStep[], factor: number): number | undefined {
  if (steps.length === 0) return first;
  const held = highestHeld(steps);
  const missed = leastMissed(steps);
  if (missed === undefined) return Math.round(held! * factor);
  if (held !== undefined) return missed / held > factor * CLOSE ? Math.round(held * factor) : undefined;
  const { decidedPerSecond } = steps.find(({ offered }) => offered === missed)!;
  return Math.max(
    1,
    Math.round(Math.max(missed / MOST_FALL, Math.min(missed / factor, decidedPerSecond * DECIDED_SHARE))),
  );
}
