import type { AccountFeatures } from "../../protos/gen/fraud/v1/decision.js";
import type { AccountState } from "../../protos/gen/fraud/v1/internal.js";
import { type Transaction, Verdict } from "../../protos/gen/fraud/v1/transaction.js";
import { distanceMetres } from "../distance.js";
import { maxTime, saturateCount, saturateUnsigned } from "../integers.js";
import type { FunctionSettings } from "../settings.js";
import { add, emptyWindow, expire, total } from "../window.js";

type AccountSettings = FunctionSettings["account"];
type Travel = Pick<AccountFeatures, "travelDistanceM" | "travelElapsedMs" | "travelSpeedKmh">;

/**
 * Takes a transaction into the account's windows and computes its features, as docs/features.md defines them.
 * Changes `state`.
 */
export function countTransaction(state: AccountState, transaction: Transaction, settings: AccountSettings): AccountFeatures {
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
  };
}

/** Distance and speed since the account's last located transaction, which this one then becomes. */
function travel(state: AccountState, { location, eventTimeMs }: Transaction): Travel {
  const none: Travel = { travelDistanceM: undefined, travelElapsedMs: undefined, travelSpeedKmh: undefined };
  if (location === undefined) return none;
  const last = state.lastSeen;
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
