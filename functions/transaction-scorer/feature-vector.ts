import type { Evidence } from "../../protos/gen/fraud/v1/decision.js";

/** Every value that a model may look at, by the name that docs/features.md defines. Absent: not known. */
const FEATURES = {
  amount_minor: ({ transaction }: Evidence) => transaction?.amountMinor,
  "account.velocity_count": ({ account }: Evidence) => big(account?.features?.velocityCount),
  "account.velocity_amount_minor": ({ account }: Evidence) => account?.features?.velocityAmountMinor,
  "account.day_count": ({ account }: Evidence) => big(account?.features?.dayCount),
  "account.day_amount_minor": ({ account }: Evidence) => account?.features?.dayAmountMinor,
  "account.history_count": ({ account }: Evidence) => big(account?.features?.historyCount),
  "account.history_amount_minor": ({ account }: Evidence) => account?.features?.historyAmountMinor,
  "account.amount_ratio_permille": ({ account }: Evidence) => account?.features?.amountRatioPermille,
  "account.travel_distance_m": ({ account }: Evidence) => account?.features?.travelDistanceM,
  "account.travel_elapsed_ms": ({ account }: Evidence) => account?.features?.travelElapsedMs,
  "account.travel_speed_kmh": ({ account }: Evidence) => account?.features?.travelSpeedKmh,
  "account.confirmed_fraud_count": ({ account }: Evidence) => big(account?.features?.confirmedFraudCount),
  "account.merchant_visits": ({ account }: Evidence) => big(account?.features?.merchantVisits),
  "merchant.recent_count": ({ merchant }: Evidence) => big(merchant?.features?.recentCount),
  "merchant.recent_amount_minor": ({ merchant }: Evidence) => merchant?.features?.recentAmountMinor,
  "merchant.history_count": ({ merchant }: Evidence) => big(merchant?.features?.historyCount),
  "merchant.history_amount_minor": ({ merchant }: Evidence) => merchant?.features?.historyAmountMinor,
  "merchant.confirmed_fraud_count": ({ merchant }: Evidence) => big(merchant?.features?.confirmedFraudCount),
  "merchant.fraud_rate_permille": ({ merchant }: Evidence) => big(merchant?.features?.fraudRatePermille),
} satisfies Record<string, (evidence: Evidence) => bigint | undefined>;

export type FeatureName = keyof typeof FEATURES;

/** The names, in a fixed order. */
export const FEATURE_NAMES = Object.keys(FEATURES) as [FeatureName, ...FeatureName[]];

/** A feature's value in this evidence, or `undefined` when it is not known. */
export function featureValue(evidence: Evidence, name: FeatureName): bigint | undefined {
  return FEATURES[name](evidence);
}

function big(value: number | undefined): bigint | undefined {
  return value === undefined ? undefined : BigInt(value);
}
