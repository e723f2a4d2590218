import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";

import type { AccountFeatures } from "../../protos/gen/fraud/v1/decision.js";
import type { AccountState } from "../../protos/gen/fraud/v1/internal.js";
import { type Transaction, Verdict } from "../../protos/gen/fraud/v1/transaction.js";
import { distanceMetres, isKnownLocation } from "../distance.js";
import { maxTime, saturateCount, saturateUnsigned } from "../integers.js";
import type { FunctionSettings } from "../settings.js";
import { add, emptyWindow, expire, total } from "../window.js";

/** Of a merchant id's hash. */
const MERCHANT_BYTES = 8;

type AccountSettings = FunctionSettings["account"];
type Travel = Pick<AccountFeatures, "travelDistanceM" | "travelElapsedMs" | "travelSpeedKmh">;

/**
 * Takes a transaction into the account's windows and computes its features, as docs/features.md defines them.
 * Changes `state`.
 */
export function countTransaction(
  state: AccountState,
  transaction: Transaction,
  settings: AccountSettings,
): AccountFeatures {
  const { eventTimeMs, amountMinor } = transaction;
  const asOf = maxTime(state.latestEventTimeMs, eventTimeMs);
  state.latestEventTimeMs = asOf;
  const velocity = (state.velocity ??= emptyWindow());
  const day = (state.day ??= emptyWindow());
  const history = (state.history ??= emptyWindow());

  expire(history, settings.history, asOf);
  const past = total(history, settings.history, asOf);
  add(history, settings.history, asOf, eventTimeMs, 1, amountMinor);
  expire(velocity, settings.velocity, asOf);
  add(velocity, settings.velocity, asOf, eventTimeMs, 1, amountMinor);
  const short = total(velocity, settings.velocity, asOf);
  expire(day, settings.day, asOf);
  add(day, settings.day, asOf, eventTimeMs, 1, amountMinor);
  const daily = total(day, settings.day, asOf);

  return {
    velocityCount: short.count,
    velocityAmountMinor: short.amountMinor,
    dayCount: daily.count,
    dayAmountMinor: daily.amountMinor,
    historyCount: past.count,
    historyAmountMinor: past.amountMinor,
    amountRatioPermille:
      past.count >= settings.minHistoryCount && past.amountMinor > 0n
        ? saturateUnsigned((amountMinor * 1000n * BigInt(past.count)) / past.amountMinor)
        : undefined,
    ...travel(state, transaction),
    confirmedFraudCount: confirmedFrauds(state, asOf, settings.fraudWindowMs),
    merchantVisits:
      settings.knownMerchants === 0 ? undefined : visit(state, transaction.merchantId, settings.knownMerchants),
  };
}

/** Drops all that features are computed from. Changes `state`. */
export function forgetFeatures(state: AccountState): void {
  state.velocity = undefined;
  state.day = undefined;
  state.history = undefined;
  state.lastSeen = undefined;
  state.recentMerchants = Buffer.alloc(0);
  state.past = undefined;
}

/** How often the account was at this merchant of late; remembers the visit. Changes `state`. */
function visit(state: AccountState, merchantId: string, keep: number): number {
  const entry = sha256(utf8ToBytes(merchantId)).subarray(0, MERCHANT_BYTES);
  const known = state.recentMerchants.subarray(-keep * MERCHANT_BYTES);
  let visits = 0;
  for (let at = 0; at < known.length; at += MERCHANT_BYTES)
    if (known.subarray(at, at + MERCHANT_BYTES).equals(entry)) visits++;
  state.recentMerchants = Buffer.concat([known, entry]).subarray(-keep * MERCHANT_BYTES);
  return visits;
}

/** Distance and speed since the account's last transaction at a known location, which this one then becomes. */
function travel(state: AccountState, { location, eventTimeMs }: Transaction): Travel {
  const none: Travel = { travelDistanceM: undefined, travelElapsedMs: undefined, travelSpeedKmh: undefined };
  if (!isKnownLocation(location)) return none;
  // Versions up to 4 stored 0, 0 as a location.
  const last = isKnownLocation(state.lastSeen) ? state.lastSeen : undefined;
  if (last !== undefined && eventTimeMs < last.eventTimeMs) return none;
  state.lastSeen = { eventTimeMs, latitudeE6: location.latitudeE6, longitudeE6: location.longitudeE6 };
  if (last === undefined || eventTimeMs === last.eventTimeMs) return none;
  const metres = distanceMetres(last, location);
  const elapsed = eventTimeMs - last.eventTimeMs;
  return { travelDistanceM: metres, travelElapsedMs: elapsed, travelSpeedKmh: (metres * 3600n) / elapsed };
}

function confirmedFrauds(state: AccountState, asOf: bigint, windowMs: number): number {
  const cutoff = asOf - BigInt(windowMs);
  let count = 0;
  for (const { verdict, effectiveAtMs } of state.verdicts) {
    if (verdict === Verdict.FRAUD && effectiveAtMs <= asOf && effectiveAtMs > cutoff) count++;
  }
  return saturateCount(count);
}
