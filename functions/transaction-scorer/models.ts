import { bytesToHex } from "@noble/hashes/utils.js";

import type { FunctionSettings } from "../settings.js";
import type { FeatureName } from "./feature-vector.js";
import { type Model, neededFeatures } from "./model.js";

/** A model as a transaction names it. */
export interface NamedModel {
  /** Empty when this server does not have the model. */
  readonly id: string;
  readonly hash: Uint8Array;
  readonly loaded: Model | undefined;
}

/** The models of this server. */
export class Models {
  readonly #default: NamedModel;
  readonly #byHash: ReadonlyMap<string, NamedModel>;

  /** @param model - of transactions that name none */
  constructor(model: Model, others: readonly Model[] = []) {
    const named = [model, ...others].map((one): NamedModel => ({ id: one.id, hash: one.hash, loaded: one }));
    this.#default = named[0]!;
    this.#byHash = new Map(named.map((one) => [bytesToHex(one.hash), one]));
  }

  /** @param hash - SHA-256 of its file; empty: the default */
  named(hash: Uint8Array): NamedModel {
    if (hash.length === 0) return this.#default;
    return this.#byHash.get(bytesToHex(hash)) ?? { id: "", hash, loaded: undefined };
  }
}

/**
 * A model that would never get one of its features would turn every transaction into an error.
 *
 * @throws Error that names the feature, and the setting that leaves it off
 */
export function requireSettings(model: Model, settings: FunctionSettings): void {
  for (const name of neededFeatures(model)) {
    if (LEARNED.has(name) && settings.learned.events === 0)
      throw new Error(
        `the model ${model.id} needs ${name}, which is off: switch it on by learned.events in FRAUD_SETTINGS`,
      );
    if (name === "account.merchant_visits" && settings.account.knownMerchants === 0)
      throw new Error(
        `the model ${model.id} needs ${name}, which is off: switch it on by account.knownMerchants in FRAUD_SETTINGS`,
      );
  }
}

/** The features that there are only when `learned.events` is above 0. */
const LEARNED: ReadonlySet<FeatureName> = new Set<FeatureName>([
  "account.count_1d",
  "account.count_7d",
  "account.count_30d",
  "account.mean_minor_1d",
  "account.mean_minor_7d",
  "account.mean_minor_30d",
  "account.genuine_count",
  "account.ratio_permille",
  "account.z_permille",
  "account.largest_ratio_7d_permille",
  "account.second_ratio_7d_permille",
  "account.unusual_7d_permille",
  "account.very_unusual_7d",
  "account.known_fraud_age_s",
  "merchant.count_1d",
  "merchant.count_7d",
  "merchant.count_30d",
  "merchant.risk_1d_permille",
  "merchant.risk_7d_permille",
  "merchant.risk_30d_permille",
  "merchant.last_label",
  "merchant.run",
  "merchant.run_age_s",
  "merchant.run_gap_s",
  "merchant.run_unexplained",
  "merchant.run_least_ratio_permille",
  "merchant.genuine_age_s",
]);
