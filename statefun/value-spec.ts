import {
  FromFunction_ExpirationSpec_ExpireMode as ExpireMode,
  type FromFunction_PersistedValueSpec,
} from "./gen/io/statefun/reqreply.js";
import { type MessageType, typeUrlOf } from "./any.js";
import { StatefunError } from "./errors.js";

/** When StateFun forgets a value by itself, in milliseconds of processing time. At most one of the two. */
export interface Expiration {
  readonly expireAfterWriteMs?: number;
  readonly expireAfterInvokeMs?: number;
}

/** A state value that a function declares: its name and the one message type that it holds. */
export interface ValueSpec<T = unknown, Name extends string = string> {
  readonly name: Name;
  readonly type: MessageType<T>;
  /** In the form that StateFun expects. */
  readonly wire: FromFunction_PersistedValueSpec;
}

/**
 * Declares a state value.
 *
 * @param name - names it within the function; StateFun keeps the value under this name and type for good
 * @throws {StatefunError} `INVALID_ARGUMENT` for an invalid name, or for two ways to expire
 */
export function valueSpec<T, const Name extends string>(
  name: Name,
  type: MessageType<T>,
  expiration: Expiration = {},
): ValueSpec<T, Name> {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw new StatefunError(
      "INVALID_ARGUMENT",
      `"${name}" is not a state name: letters, digits and _ only, not starting with a digit`,
    );
  }
  const { expireAfterWriteMs, expireAfterInvokeMs } = expiration;
  if (expireAfterWriteMs !== undefined && expireAfterInvokeMs !== undefined) {
    throw new StatefunError("INVALID_ARGUMENT", `state "${name}" can expire after writes or after calls, not both`);
  }
  const mode =
    expireAfterWriteMs !== undefined
      ? ExpireMode.AFTER_WRITE
      : expireAfterInvokeMs !== undefined
        ? ExpireMode.AFTER_INVOKE
        : ExpireMode.NONE;
  return {
    name,
    type,
    wire: {
      stateName: name,
      typeTypename: typeUrlOf(type),
      expirationSpec: { mode, expireAfterMillis: BigInt(expireAfterWriteMs ?? expireAfterInvokeMs ?? 0) },
    },
  };
}

/** The message type of the state with a given name, among the states that a function declares. */
export type StateType<States extends readonly ValueSpec[], Name> =
  Extract<States[number], { readonly name: Name }> extends ValueSpec<infer T> ? T : never;
