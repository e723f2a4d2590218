import {
  type FromFunction_PersistedValueMutation,
  FromFunction_PersistedValueMutation_MutationType as MutationType,
} from "./gen/io/statefun/reqreply.js";
import { decode, encode, MAX_UNKNOWN_FIELDS, type MessageType } from "./any.js";
import { WrongTypeError } from "./errors.js";
import type { ValueSpec } from "./value-spec.js";

/**
 * A function's view of one state value.
 *
 * @typeParam V - the message type that it was declared with; `unknown` where the compiler cannot know
 */
export interface StateValue<V = unknown> {
  /**
   * The value, or `undefined` when there is none. Changing the object changes nothing until it is packed.
   *
   * @throws {WrongTypeError} when the value was declared with a different type
   */
  unpack<T extends V>(type: MessageType<T>): T | undefined;
  /** Sets the value. The object belongs to the SDK until the batch ends, when it is encoded. */
  pack<T extends V>(type: MessageType<T>, value: T): void;
  /** Removes the value. */
  clear(): void;
}

/** A state value during one batch: decoded at most once, encoded at most once. */
export class BatchState implements StateValue {
  readonly #spec: ValueSpec;
  readonly #received: Uint8Array | undefined;
  #value: unknown;
  #status: "encoded" | "decoded" | "changed" | "cleared";
  #saved:
    { readonly status: "encoded" | "decoded" | "cleared" } | { readonly status: "changed"; readonly bytes: Uint8Array };

  constructor(spec: ValueSpec, received: Uint8Array | undefined) {
    this.#spec = spec;
    this.#received = received;
    this.#status = this.#received === undefined ? "decoded" : "encoded";
    this.#saved = { status: this.#status };
  }

  unpack<T>(type: MessageType<T>): T | undefined {
    this.#check(type);
    if (this.#status === "encoded") {
      this.#value = decode(this.#spec.type, this.#received!, MAX_UNKNOWN_FIELDS.state);
      this.#status = "decoded";
    }
    return this.#value as T | undefined;
  }

  pack<T>(type: MessageType<T>, value: T): void {
    this.#check(type);
    this.#value = value;
    this.#status = "changed";
  }

  clear(): void {
    this.#value = undefined;
    this.#status = "cleared";
  }

  /** Remembers the value for {@link rollback}, as bytes: a function may change an object after packing it. */
  savepoint(): void {
    if (this.#status === "changed") this.#saved = { status: "changed", bytes: encode(this.#spec.type, this.#value) };
    else if (this.#status === "cleared") this.#saved = { status: "cleared" };
    else this.#saved = { status: this.#received === undefined ? "decoded" : "encoded" };
  }

  rollback(): void {
    this.#status = this.#saved.status;
    this.#value = this.#saved.status === "changed" ? decode(this.#spec.type, this.#saved.bytes, Infinity) : undefined;
  }

  /** The change for StateFun to make, or `undefined` for none. Clearing a value that was not there needs no change. */
  mutation(): FromFunction_PersistedValueMutation | undefined {
    const { name, type, wire } = this.#spec;
    if (this.#status === "changed") {
      return {
        mutationType: MutationType.MODIFY,
        stateName: name,
        stateValue: { typename: wire.typeTypename, hasValue: true, value: encode(type, this.#value) },
      };
    }
    if (this.#status === "cleared" && this.#received !== undefined) {
      return { mutationType: MutationType.DELETE, stateName: name, stateValue: undefined };
    }
    return undefined;
  }

  #check(type: MessageType<unknown>): void {
    if (type.$type !== this.#spec.type.$type)
      throw new WrongTypeError(`state "${this.#spec.name}"`, type.$type, this.#spec.type.$type);
  }
}
