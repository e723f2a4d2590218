import type { MerchantFeatures } from "../../protos/gen/fraud/v1/decision.js";
import type { MerchantState } from "../../protos/gen/fraud/v1/internal.js";
import type { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { maxTime } from "../integers.js";
import type { FunctionSettings } from "../settings.js";
import { add, emptyWindow, expire, total } from "../window.js";

type MerchantSettings = FunctionSettings["merchant"];

// The smoothed fraud rate starts from 1 fraud in 1,000 and trusts that as much as 100 transactions.
const PRIOR_TRANSACTIONS = 100;
const PRIOR_FRAUDS_PERMILLE = 100;

/**
 * Takes a transaction into the merchant's windows and computes its features, as docs/features.md defines them.
 * Changes `state`.
 */
export function modelTransaction(
  state: MerchantState,
  transaction: Transaction,
  settings: MerchantSettings,
): MerchantFeatures {
  const { eventTimeMs, amountMinor } = transaction;
  const asOf = maxTime(state.latestEventTimeMs, eventTimeMs);
  state.latestEventTimeMs = asOf;
  const recent = (state.recent ??= emptyWindow());
  const history = (state.history ??= emptyWindow());
  const frauds = (state.frauds ??= emptyWindow());

  expire(history, settings.history, asOf);
  const past = total(history, settings.history, asOf);
  add(history, settings.history, asOf, eventTimeMs, 1, amountMinor);
  expire(recent, settings.recent, asOf);
  add(recent, settings.recent, asOf, eventTimeMs, 1, amountMinor);
  const short = total(recent, settings.recent, asOf);
  expire(frauds, settings.history, asOf);
  const confirmed = total(frauds, settings.history, asOf).count;

  return {
    recentCount: short.count,
    recentAmountMinor: short.amountMinor,
    historyCount: past.count,
    historyAmountMinor: past.amountMinor,
    confirmedFraudCount: confirmed,
    fraudRatePermille: Math.min(
      1000,
      Math.floor((1000 * confirmed + PRIOR_FRAUDS_PERMILLE) / (past.count + PRIOR_TRANSACTIONS)),
    ),
  };
}

/** Drops all that features are computed from. Changes `state`. */
export function forgetFeatures(state: MerchantState): void {
  state.recent = undefined;
  state.history = undefined;
  state.frauds = undefined;
  state.past = undefined;
}

/** Counts a confirmed fraud (+1) or takes one back (-1) at its effective time. Changes `state`. */
export function recordFraud(
  state: MerchantState,
  delta: number,
  effectiveAtMs: bigint,
  settings: MerchantSettings,
): void {
  const frauds = (state.frauds ??= emptyWindow());
  add(frauds, settings.history, state.latestEventTimeMs, effectiveAtMs, delta, 0n);
}
