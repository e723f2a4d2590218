import type { AccountEvidence, AccountFeatures } from "../../protos/gen/fraud/v1/decision.js";
import { AccountPast, type AccountState } from "../../protos/gen/fraud/v1/internal.js";
import { type Transaction, Verdict } from "../../protos/gen/fraud/v1/transaction.js";
import { saturateUnsigned } from "../integers.js";
import { addEvent, decodeEvents, encodeEvents, eventHash, markFraud, type PastEvent } from "../learned/event-ring.js";
import { ExactSum } from "../learned/exact-sum.js";
import {
  ageSeconds,
  bounded,
  DAY_MS,
  knownLabel,
  leftAfter,
  MAX_VALUE,
  NEVER_S,
  UNUSUAL_PERMILLE,
  VERY_UNUSUAL_PERMILLE,
} from "../learned/known.js";
import { decodeSeen, encodeSeen } from "../learned/seen-places.js";
import type { FunctionSettings } from "../settings.js";
import { placeFeatures } from "./place-features.js";

type LearnedSettings = FunctionSettings["learned"];
type Counted = Pick<AccountFeatures, "merchantVisits" | "travelSpeedKmh">;
type Learned = Pick<AccountEvidence, "learnedIncomplete" | "knownFraudFromMs"> & {
  readonly features: Partial<AccountFeatures>;
};

const MAX_SQUARES = 2n ** 128n - 1n;

/**
 * The learned features of a transaction, from the account's past as docs/features.md defines them; then the past takes
 * the transaction in. Changes `state`.
 *
 * @param state - with this transaction numbered and counted
 * @param before - the account's greatest event time before it, and what was counted for it
 */
export function learnAccount(
  state: AccountState,
  transaction: Transaction,
  settings: LearnedSettings,
  before: { readonly latestMs: bigint; readonly counted: Counted },
): Learned {
  if (settings.events === 0) {
    state.past = undefined;
    return { features: {}, learnedIncomplete: false, knownFraudFromMs: undefined };
  }
  // What came before it was switched on is missing as what has left is.
  const past = (state.past ??= AccountPast.fromPartial({ leftUntilMs: before.latestMs }));
  const events = decodeEvents(past.events);
  if (settings.places && past.placesSeq + 1n === state.seq) decodeSeen(past.places, events);
  else forgetPlaces(past);
  const at = Number(transaction.eventTimeMs);
  const { merchantVisits = 0, travelSpeedKmh } = before.counted;
  const places = settings.places
    ? placeFeatures(
        at,
        { location: transaction.location, visits: merchantVisits, speedKmh: travelSpeedKmh },
        { past, events, delayMs: settings.labelDelayMs },
      )
    : undefined;
  const learned = {
    features: {
      ...featuresAt(at, Number(transaction.amountMinor), past, events, settings.labelDelayMs),
      ...places?.features,
    },
    learnedIncomplete:
      leftAfter(past.leftUntilMs, at - Math.max(30 * DAY_MS, settings.labelDelayMs)) || places?.incomplete === true,
    // Labels and transactions have no order between them.
    knownFraudFromMs: state.verdicts.find(
      ({ transactionId, verdict }) => verdict === Verdict.FRAUD && transactionId === transaction.transactionId,
    )?.effectiveAtMs,
  };
  const event: PastEvent = {
    time: at,
    value: Number(transaction.amountMinor),
    hash: eventHash(transaction.transactionId),
    fraudFrom: Number(learned.knownFraudFromMs ?? 0n),
    seen: places?.seen,
  };
  leave(past, addEvent(events, event, settings.events));
  past.events = encodeEvents(events);
  if (settings.places) {
    past.places = encodeSeen(events);
    past.placesSeq = state.seq;
  }
  return learned;
}

function forgetPlaces(past: AccountPast): void {
  past.places = Buffer.alloc(0);
  past.placesSeq = 0n;
  past.locatedCount = 0n;
  past.latitudesE6 = 0n;
  past.longitudesE6 = 0n;
}

/**
 * Takes in that a verdict "fraud" counts on a transaction from `effectiveAtMs` on, or with a `delta` of −1 that none
 * does any more. Without effect when the transaction is none of the last ones. Changes `state`.
 */
export function learnAccountVerdict(
  { past }: AccountState,
  transactionId: string,
  { delta, effectiveAtMs }: { readonly delta: number; readonly effectiveAtMs: bigint },
  settings: LearnedSettings,
): void {
  if (settings.events === 0 || past === undefined || delta === 0) return;
  const events = decodeEvents(past.events);
  markFraud(events, eventHash(transactionId), delta > 0 ? Number(effectiveAtMs) : 0);
  past.events = encodeEvents(events);
}

function featuresAt(
  at: number,
  amount: number,
  past: AccountPast,
  events: readonly PastEvent[],
  delayMs: number,
): Partial<AccountFeatures> {
  const day = new ExactSum();
  const week = new ExactSum();
  const month = new ExactSum();
  const weekAmounts: number[] = [];
  let dayCount = 0;
  let monthCount = 0;
  let genuine = 0;
  let lastFraud = Number(past.lastFraudMs);
  const genuineSum = new ExactSum(past.genuineAmountMinor);
  const squares = new ExactSum((past.genuineSquaresHigh << 64n) | past.genuineSquaresLow);

  const addToWindows = (time: number, value: number): void => {
    if (time <= at - 30 * DAY_MS) return;
    monthCount++;
    month.add(value);
    if (time <= at - 7 * DAY_MS) return;
    weekAmounts.push(value);
    week.add(value);
    if (time <= at - DAY_MS) return;
    dayCount++;
    day.add(value);
  };
  for (const event of events) {
    if (event.time > at) break;
    addToWindows(event.time, event.value);
    const label = knownLabel(event, at, delayMs);
    if (label === "fraud") lastFraud = Math.max(lastFraud, event.time);
    else if (label === "genuine") {
      genuine++;
      genuineSum.add(event.value);
      squares.addSquareOf(event.value);
    }
  }
  addToWindows(at, amount);

  const usual: Usual = {
    count: past.genuineCount + BigInt(genuine),
    sum: genuineSum.value,
    squares: squares.value,
  };
  const [largest, second] = twoLargest(weekAmounts);
  return {
    count1d: dayCount,
    count7d: weekAmounts.length,
    count30d: monthCount,
    meanMinor1d: day.value / BigInt(dayCount),
    meanMinor7d: week.value / BigInt(weekAmounts.length),
    meanMinor30d: month.value / BigInt(monthCount),
    genuineCount: usual.count,
    ratioPermille: ratio(amount, usual),
    zPermille: deviation(amount, usual),
    largestRatio7dPermille: ratio(largest, usual),
    secondRatio7dPermille: ratio(second, usual),
    unusual7dPermille: Math.floor((1000 * countAbove(UNUSUAL_PERMILLE, weekAmounts, usual)) / weekAmounts.length),
    veryUnusual7d: countAbove(VERY_UNUSUAL_PERMILLE, weekAmounts, usual),
    knownFraudAgeS: lastFraud === 0 ? NEVER_S : ageSeconds(lastFraud, at),
  };
}

/** The transactions that are known to be genuine: how many, the sum of their amounts, and that of the squares. */
interface Usual {
  readonly count: bigint;
  readonly sum: bigint;
  readonly squares: bigint;
}

/** An amount in thousandths of the mean; 0 where there is none. */
const ratio = (amount: number, { count, sum }: Usual): bigint =>
  sum === 0n ? 0n : bounded((1000n * BigInt(amount) * count) / sum);

/** How many of the amounts have a ratio above this one: those from the least such amount on. */
function countAbove(permille: number, amounts: readonly number[], { count, sum }: Usual): number {
  if (sum === 0n) return 0;
  const whole = 1000n * count;
  const least = Number((BigInt(permille + 1) * sum + whole - 1n) / whole);
  return amounts.reduce((found, amount) => (amount >= least ? found + 1 : found), 0);
}

/**
 * How many thousandths of the standard deviation an amount is above the mean: the one feature that is computed in
 * doubles, since its root is; docs/features.md says in which order.
 */
function deviation(amount: number, { count, sum, squares }: Usual): bigint {
  const spread = count * squares - sum * sum;
  if (spread <= 0n) return 0n;
  const deviations = Math.floor((1000 * Number(count * BigInt(amount) - sum)) / Math.sqrt(Number(spread)));
  const limit = Number(MAX_VALUE);
  return BigInt(Math.max(-limit, Math.min(limit, deviations)));
}

/** The second is 0 where there is but one. */
function twoLargest(amounts: readonly number[]): [number, number] {
  let largest = 0;
  let second = 0;
  for (const amount of amounts) {
    if (amount > largest) [largest, second] = [amount, largest];
    else if (amount > second) second = amount;
  }
  return [largest, second];
}

/** Adds up what is no longer kept one by one: what has no verdict "fraud" stays genuine. */
function leave(past: AccountPast, gone: readonly PastEvent[]): void {
  for (const { time, value, fraudFrom, seen } of gone) {
    if (BigInt(time) > past.leftUntilMs) past.leftUntilMs = BigInt(time);
    if (fraudFrom !== 0) {
      if (BigInt(time) > past.lastFraudMs) past.lastFraudMs = BigInt(time);
      continue;
    }
    const amount = BigInt(value);
    const squares = ((past.genuineSquaresHigh << 64n) | past.genuineSquaresLow) + amount * amount;
    const kept = squares > MAX_SQUARES ? MAX_SQUARES : squares;
    past.genuineCount++;
    past.genuineAmountMinor = saturateUnsigned(past.genuineAmountMinor + amount);
    past.genuineSquaresHigh = kept >> 64n;
    past.genuineSquaresLow = BigInt.asUintN(64, kept);
    if (seen?.place === undefined) continue;
    past.locatedCount++;
    past.latitudesE6 += BigInt(seen.place.latitudeE6);
    past.longitudesE6 += BigInt(seen.place.longitudeE6);
  }
}
