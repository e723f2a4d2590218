import { bytesToHex } from "@noble/hashes/utils.js";

import { FEATURES } from "../../protos/gen/features.js";
import type { FunctionSettings } from "../settings.js";
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
  const values = {
    "": true,
    "learned.events": settings.learned.events,
    "learned.places": settings.learned.places,
    "account.knownMerchants": settings.account.knownMerchants,
  } as const;
  for (const name of neededFeatures(model)) {
    const { setting } = FEATURES[name];
    if (!values[setting])
      throw new Error(
        `the model ${model.id} needs ${name}, which is off: switch it on by ${setting} in FRAUD_SETTINGS`,
      );
  }
}
