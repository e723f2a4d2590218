import { quantileOfSorted } from "../../contract/quantile.js";
import { Random } from "../../ingress-generator/random.js";
import { qualityOf } from "./quality.js";
import type { Quality, Scored } from "./scored.js";

/** Between these lies the middle 95 percent of what other customers of the same kind would have given. */
export type QualityIntervals = Readonly<Record<keyof Quality, readonly [low: number, high: number]>>;

export interface BootstrapOptions {
  readonly draws: number;
  readonly seed: number;
}

/**
 * Intervals by drawing customers with repetition: a customer's transactions belong together. What differs from one
 * training to another is not in them.
 */
export function bootstrapIntervals(scored: Scored, { draws, seed }: BootstrapOptions): QualityIntervals {
  const random = new Random(seed);
  const customers = [...new Set(scored.customers)];
  const quality = qualityOf(scored);
  const drawn = Array.from({ length: draws }, () => {
    const counts = new Uint32Array(Math.max(...customers) + 1);
    for (const _ of customers) counts[random.pick(customers)]!++;
    return quality((customer) => counts[customer]!);
  });
  const interval = (name: keyof Quality): readonly [number, number] => {
    const sorted = Float64Array.from(drawn, (one) => one[name]).sort();
    return [quantileOfSorted(sorted, 0.025)!, quantileOfSorted(sorted, 0.975)!];
  };
  return {
    auc: interval("auc"),
    averagePrecision: interval("averagePrecision"),
    cardPrecision100: interval("cardPrecision100"),
    recallAt05: interval("recallAt05"),
    valueAt05: interval("valueAt05"),
  };
}
