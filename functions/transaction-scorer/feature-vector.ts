import type { Evidence } from "../../protos/gen/fraud/v1/decision.js";
import { FEATURES } from "../../protos/gen/features.js";

/** A value that a model may look at, by the name that docs/features.md defines. */
export type FeatureName = keyof typeof FEATURES;

/** The names, in a fixed order. */
export const FEATURE_NAMES = Object.keys(FEATURES) as [FeatureName, ...FeatureName[]];

/** Whether a feature can have this value: most are never negative, and what stands for an unknown one may be. */
export const isPossible = (name: FeatureName, value: number): boolean => value >= 0 || FEATURES[name].signed;

/** A feature's value in this evidence, or `undefined` when it is not known. */
export function featureValue(evidence: Evidence, name: FeatureName): bigint | undefined {
  const value = FEATURES[name].of(evidence);
  return value === undefined ? undefined : BigInt(value);
}
