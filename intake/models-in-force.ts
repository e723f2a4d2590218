import { ModelsInForce } from "../protos/gen/fraud/v1/models.js";
import type { Transaction } from "../protos/gen/fraud/v1/transaction.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import { typeUrlOf } from "../statefun/index.js";

/** What is stamped into a transaction: the models that score it. Empty: the function server's default, and none. */
export type Stamps = Pick<Transaction, "modelHash" | "challengerHash">;

const NONE = Buffer.alloc(0);
/** A SHA-256. */
const HASH_BYTES = 32;
export const UNSTAMPED: Stamps = { modelHash: NONE, challengerHash: NONE };

/** The models that hold now, by the topic `models`: the newest record does. */
export class ModelsInForceIndex {
  #stamps = UNSTAMPED;
  #newest: ModelsInForce | undefined;
  #known = false;

  /** `undefined`: not known yet, so nothing may be taken. */
  get stamps(): Stamps | undefined {
    return this.#known ? this.#stamps : undefined;
  }

  /** The record that holds; `undefined`: there is none, or it is not known yet. */
  get newest(): ModelsInForce | undefined {
    return this.#newest;
  }

  /** What stood in the topic at the start has been read. */
  caughtUp(): void {
    this.#known = true;
  }

  /** The topic was made again: what held is gone with it. */
  onNewLog(): void {
    this.#stamps = UNSTAMPED;
    this.#newest = undefined;
  }

  /** @throws Error when the record says something else; what held before then still holds */
  onRecord({ value }: { readonly value: Buffer | null }): void {
    if (value === null) return this.onNewLog();
    const { typeUrl: type, value: bytes } = Any.decode(value);
    if (type !== typeUrlOf(ModelsInForce)) throw new Error(`a record of models is ${JSON.stringify(type)}`);
    const record = ModelsInForce.decode(bytes);
    const { modelHash, challengerHash } = record;
    for (const hash of [modelHash, challengerHash])
      if (hash.length !== 0 && hash.length !== HASH_BYTES)
        throw new Error(`a record of models has a hash of ${hash.length} bytes`);
    this.#stamps = { modelHash, challengerHash };
    this.#newest = record;
  }
}
