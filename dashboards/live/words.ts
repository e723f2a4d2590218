import type { FeatureName } from "../../functions/transaction-scorer/feature-vector.js";
import { amountDigits } from "../../money/amount-text.js";
import { Alert_Cause } from "../../protos/gen/fraud/v1/evidence.js";
import { FEATURES } from "../../protos/gen/features.js";

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
    case "ratio":
      return `${(number / 1000).toLocaleString("en-GB", { maximumFractionDigits: 1, signDisplay: "negative" })} ×`;
    case "deviations":
      return `${(number / 1000).toLocaleString("en-GB", { maximumFractionDigits: 2, signDisplay: "negative" })} SD`;
    case "metres":
      return number < 10_000 ? `${(number / 1000).toFixed(1)} km` : `${whole(number / 1000)} km`;
    case "milliseconds":
      return durationText(number);
    case "seconds":
      return durationText(number * 1000);
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
