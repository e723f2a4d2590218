import type { PastEvent } from "./event-ring.js";

export const DAY_MS = 86_400_000;
/** The age of what never was, in seconds: 1,000 days. */
export const NEVER_S = 86_400_000n;
/** A fraud of less than so many thousandths of what its account usually spends is not explained by its amount. */
export const UNUSUAL_PERMILLE = 2_000;
export const VERY_UNUSUAL_PERMILLE = 2_500;
/** What is greater stays there: every number on the way is exact, in any language. */
export const MAX_VALUE = BigInt(Number.MAX_SAFE_INTEGER);

/** What is known at a time of an earlier event: `undefined` as long as neither verdict nor delay has told. */
export function knownLabel(event: PastEvent, atMs: number, delayMs: number): "fraud" | "genuine" | undefined {
  if (event.time > atMs) return undefined;
  if (event.fraudFrom !== 0 && event.fraudFrom <= atMs) return "fraud";
  return event.time <= atMs - delayMs ? "genuine" : undefined;
}

/** Whether something that left is later than that. @param leftUntilMs - 0: nothing left */
export const leftAfter = (leftUntilMs: bigint, sinceMs: number): boolean =>
  leftUntilMs > 0n && Number(leftUntilMs) > sinceMs;

/** Whole seconds since; 0 where it is still to come. */
export const ageSeconds = (sinceMs: number, atMs: number): bigint =>
  BigInt(Math.max(0, Math.floor((atMs - sinceMs) / 1000)));

/** A value from 0, cut at {@link MAX_VALUE}. */
export const bounded = (value: bigint): bigint => (value > MAX_VALUE ? MAX_VALUE : value);
