import type { Window } from "../protos/gen/fraud/v1/internal.js";
import { saturateCount, saturateSum } from "./integers.js";
import type { WindowShape } from "./settings.js";

/** What a window holds: transactions and the sum of their amounts in minor units. */
export interface WindowTotal {
  readonly count: number;
  readonly amountMinor: bigint;
}

export const emptyWindow = (): Window => ({ buckets: [], counts: [], amountsMinor: [] });

const bucketOf = (shape: WindowShape, timeMs: bigint): bigint => timeMs / BigInt(shape.bucketMs);

/** The bucket before the oldest one that still counts at `asOfMs`. */
const lastExpired = (shape: WindowShape, asOfMs: bigint): bigint => bucketOf(shape, asOfMs) - BigInt(shape.buckets);

/**
 * Removes the buckets that have left the window at `asOfMs`.
 *
 * @param asOfMs - event time in ms, not negative
 */
export function expire(window: Window, shape: WindowShape, asOfMs: bigint): void {
  const expired = lastExpired(shape, asOfMs);
  const keepFrom = window.buckets.findIndex((bucket) => bucket > expired);
  const drop = keepFrom === -1 ? window.buckets.length : keepFrom;
  if (drop === 0) return;
  window.buckets.splice(0, drop);
  window.counts.splice(0, drop);
  window.amountsMinor.splice(0, drop);
}

/**
 * Adds `count` (which may be negative) and an amount to the bucket of `timeMs`, unless that bucket has left the
 * window at `asOfMs`. A bucket's count never falls below zero; a bucket without a count is removed.
 */
export function add(
  window: Window,
  shape: WindowShape,
  asOfMs: bigint,
  timeMs: bigint,
  count: number,
  amountMinor: bigint,
): void {
  const bucket = bucketOf(shape, timeMs);
  if (bucket <= lastExpired(shape, asOfMs)) return;
  // From the end: what comes is nearly always the newest.
  let at = window.buckets.length;
  while (at > 0 && window.buckets[at - 1]! > bucket) at--;
  if (at > 0 && window.buckets[at - 1] === bucket) {
    const sum = saturateCount(window.counts[at - 1]! + count);
    if (sum === 0) {
      window.buckets.splice(at - 1, 1);
      window.counts.splice(at - 1, 1);
      window.amountsMinor.splice(at - 1, 1);
      return;
    }
    window.counts[at - 1] = sum;
    window.amountsMinor[at - 1] = saturateSum(window.amountsMinor[at - 1]! + amountMinor);
  } else if (count > 0) {
    window.buckets.splice(at, 0, bucket);
    window.counts.splice(at, 0, count);
    window.amountsMinor.splice(at, 0, amountMinor);
  }
}

/** The total of the window's buckets at `asOfMs`, without those that have expired or are still to come. */
export function total(window: Window, shape: WindowShape, asOfMs: bigint): WindowTotal {
  const expired = lastExpired(shape, asOfMs);
  const newest = bucketOf(shape, asOfMs);
  let count = 0;
  let amountMinor = 0n;
  for (let i = 0; i < window.buckets.length; i++) {
    const bucket = window.buckets[i]!;
    if (bucket <= expired || bucket > newest) continue;
    count += window.counts[i]!;
    amountMinor += window.amountsMinor[i]!;
  }
  return { count: saturateCount(count), amountMinor: saturateSum(amountMinor) };
}
