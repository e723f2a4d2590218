import type { Address as WireAddress } from "./gen/io/statefun/reqreply.js";
import type { MessageType } from "./any.js";
import { StatefunError } from "./errors.js";
import { shown } from "./shown.js";

/**
 * One instance of a function: StateFun keeps state and order for each.
 *
 * @typeParam M - the messages that it accepts, where that is known: see {@link functionType}
 */
export interface Address<in M = unknown> {
  /** `namespace/type`; the namespace may itself hold slashes. */
  readonly typename: string;
  readonly id: string;
  /** Absent when what it accepts is not known: then anything may be sent. */
  readonly accepted?: AcceptedTypes<M> | undefined;
}

/** The message types that a function accepts. */
export interface AcceptedTypes<in M> {
  /** Full names of the types, such as `demo.v1.Greeting`. */
  readonly names: ReadonlySet<string>;
  /** For the compiler only: keeps an address for some messages from being used for others. */
  readonly takes?: (message: M) => void;
}

/**
 * Describes a function that others send messages to. Sending it anything else is then a compile error if the messages
 * differ in their fields, and a `NOT_ACCEPTED` error at run time in any case.
 *
 * @returns makes the function's addresses from their ids
 */
export function functionType<const T extends readonly MessageType<unknown>[]>(
  typename: string,
  accepts: T,
): (id: string) => Address<MessageOf<T[number]>> {
  splitTypename(typename);
  const accepted: AcceptedTypes<MessageOf<T[number]>> = { names: new Set(accepts.map(({ $type }) => $type)) };
  return (id) => ({ typename, id, accepted });
}

/** What a message type decodes to. */
export type MessageOf<T> = T extends MessageType<infer M> ? M : never;

/** The parts of a type name, split at the last slash. */
export function splitTypename(typename: string): { namespace: string; type: string } {
  const slash = typename.lastIndexOf("/");
  if (slash <= 0 || slash === typename.length - 1) {
    throw new StatefunError("INVALID_ARGUMENT", `"${shown(typename)}" is not a type name: it must be "namespace/type"`);
  }
  return { namespace: typename.slice(0, slash), type: typename.slice(slash + 1) };
}

/** Type names may come from elsewhere, so only a limited number of them is remembered. */
const MAX_SPLIT = 1_000;
const split = new Map<string, { namespace: string; type: string }>();

/** As {@link splitTypename}, remembering what was split: a program has few type names and many messages. */
function cachedSplit(typename: string): { namespace: string; type: string } {
  let parts = split.get(typename);
  if (parts === undefined) {
    parts = splitTypename(typename);
    if (split.size < MAX_SPLIT) split.set(typename, parts);
  }
  return parts;
}

export function toWire({ typename, id }: Address<never>): WireAddress {
  const { namespace, type } = cachedSplit(typename);
  return { namespace, type, id };
}

export function fromWire({ namespace, type, id }: WireAddress): Address {
  return { typename: `${namespace}/${type}`, id };
}

export { cachedSplit as typenameParts };
