import { MAX_AMOUNT_MINOR } from "../../contract/input-bounds.js";
import type { FraudLabel, Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { Verdict } from "../../protos/gen/fraud/v1/transaction.js";

/** 9999-12-31T23:59:59.999Z in ms: what lies beyond is not a time. */
const MAX_TIME_MS = 253_402_300_799_999n;
const MAX_LATITUDE_E6 = 90_000_000;
const MAX_LONGITUDE_E6 = 180_000_000;

/**
 * The first rule that a transaction breaks, or `undefined`. The intake has the full set of rules; these are the ones
 * without which the arithmetic or the addressing behind would fail.
 */
export function transactionProblem(transaction: Transaction): string | undefined {
  const { location } = transaction;
  if (transaction.transactionId === "") return "transaction_id is empty";
  if (transaction.accountId === "") return "account_id is empty";
  if (transaction.merchantId === "") return "merchant_id is empty";
  if (transaction.amountMinor < 0n) return "amount_minor is negative";
  if (transaction.amountMinor > MAX_AMOUNT_MINOR) return `amount_minor exceeds ${MAX_AMOUNT_MINOR}`;
  if (!isTime(transaction.eventTimeMs)) return "event_time_ms is not a time after 1970 and before 10000";
  if (
    location !== undefined &&
    !(Math.abs(location.latitudeE6) <= MAX_LATITUDE_E6 && Math.abs(location.longitudeE6) <= MAX_LONGITUDE_E6)
  ) {
    return "location is not on Earth";
  }
  return undefined;
}

/** The first rule that a label breaks, or `undefined`. */
export function labelProblem(label: FraudLabel): string | undefined {
  if (label.labelId === "") return "label_id is empty";
  if (label.accountId === "") return "account_id is empty";
  if (label.transactionId === "") return "transaction_id is empty";
  if (label.merchantId === "") return "merchant_id is empty";
  if (label.revision !== undefined && label.revision < 1) return "revision is not 1 or more";
  if (label.verdict !== Verdict.FRAUD && label.verdict !== Verdict.LEGITIMATE)
    return "verdict is neither fraud nor legitimate";
  if (label.effectiveAtMs === undefined ? !isTime(label.eventTimeMs) : !isTime(label.effectiveAtMs))
    return `${label.effectiveAtMs === undefined ? "event_time_ms" : "effective_at_ms"} is not a time after 1970 and before 10000`;
  return undefined;
}

const isTime = (ms: bigint): boolean => ms > 0n && ms <= MAX_TIME_MS;
