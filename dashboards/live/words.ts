import type { FeatureName } from "../../functions/transaction-scorer/feature-vector.js";
import { amountDigits } from "../../money/amount-text.js";
import { Alert_Cause } from "../../protos/gen/fraud/v1/evidence.js";

/** How a feature is said and written. `docs/features.md` defines the values. */
interface FeatureWords {
  readonly label: string;
  readonly unit: "count" | "amount" | "times" | "metres" | "duration" | "kmh" | "permille";
}

const FEATURES: Readonly<Record<FeatureName, FeatureWords>> = {
  amount_minor: { label: "Amount", unit: "amount" },
  "account.velocity_count": { label: "Transactions in the last 10 minutes", unit: "count" },
  "account.velocity_amount_minor": { label: "Spent in the last 10 minutes", unit: "amount" },
  "account.day_count": { label: "Transactions in the last day", unit: "count" },
  "account.day_amount_minor": { label: "Spent in the last day", unit: "amount" },
  "account.history_count": { label: "Earlier transactions in 30 days", unit: "count" },
  "account.history_amount_minor": { label: "Spent earlier in 30 days", unit: "amount" },
  "account.amount_ratio_permille": { label: "Amount next to the usual one", unit: "times" },
  "account.travel_distance_m": { label: "Distance from the last place", unit: "metres" },
  "account.travel_elapsed_ms": { label: "Time since the last place", unit: "duration" },
  "account.travel_speed_kmh": { label: "Speed needed from the last place", unit: "kmh" },
  "account.confirmed_fraud_count": { label: "Confirmed frauds of the account", unit: "count" },
  "account.merchant_visits": { label: "Earlier visits at this merchant", unit: "count" },
  "merchant.recent_count": { label: "Merchant's transactions in the last hour", unit: "count" },
  "merchant.recent_amount_minor": { label: "Merchant's turnover in the last hour", unit: "amount" },
  "merchant.history_count": { label: "Merchant's transactions in 30 days", unit: "count" },
  "merchant.history_amount_minor": { label: "Merchant's turnover in 30 days", unit: "amount" },
  "merchant.confirmed_fraud_count": { label: "Confirmed frauds at the merchant", unit: "count" },
  "merchant.fraud_rate_permille": { label: "Share of fraud at the merchant", unit: "permille" },
};

export const featureLabel = (name: FeatureName): string => FEATURES[name].label;

/**
 * A feature's value with its unit, such as `1,204 km/h`.
 *
 * @param currency - the transaction's: amounts are added as they come, and an account has one (docs/features.md)
 */
export function featureText(name: FeatureName, value: bigint, currency: string): string {
  const whole = (number: number): string => Math.round(number).toLocaleString("en-GB");
  const number = Number(value);
  switch (FEATURES[name].unit) {
    case "count":
      return whole(number);
    case "amount":
      return amountDigits(value, currency);
    case "times":
      return `${(number / 1000).toLocaleString("en-GB", { maximumFractionDigits: 1 })} ×`;
    case "metres":
      return number < 10_000 ? `${(number / 1000).toFixed(1)} km` : `${whole(number / 1000)} km`;
    case "duration":
      return durationText(number);
    case "kmh":
      return `${whole(number)} km/h`;
    case "permille":
      return `${(number / 10).toFixed(1)} %`;
  }
}

/** A time span in its two largest units, such as `2 h 5 min`. */
export function durationText(ms: number): string {
  const units = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["min", 60_000],
    ["s", 1_000],
  ] as const;
  const first = units.findIndex(([, size]) => ms >= size);
  if (first < 0) return `${Math.round(ms)} ms`;
  let rest = ms;
  const parts: string[] = [];
  for (const [name, size] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${name}`);
  }
  return parts.join(" ");
}

/** Why an alert was raised. */
export function causeText(cause: Alert_Cause, suspiciousCount: number): string {
  switch (cause) {
    case Alert_Cause.FIRST:
      return "first suspicious transaction";
    case Alert_Cause.COUNT:
      return `${suspiciousCount} suspicious transactions`;
    case Alert_Cause.DECLINE:
      return "first declined transaction";
    case Alert_Cause.GAP:
      return "no more for half an hour";
    case Alert_Cause.TIMER:
      return "nothing more came";
    case Alert_Cause.UNSPECIFIED:
      return "";
  }
}
