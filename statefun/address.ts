import type { Address as WireAddress } from "../protos/gen/io/statefun/reqreply.js";
import { StatefunError } from "./errors.js";

/** One instance of a function: StateFun keeps state and order for each. */
export interface Address {
  /** `namespace/type`; the namespace may itself hold slashes. */
  readonly typename: string;
  readonly id: string;
}

/** A type name's parts: the last slash divides them. */
export function splitTypename(typename: string): { namespace: string; type: string } {
  const slash = typename.lastIndexOf("/");
  if (slash <= 0 || slash === typename.length - 1) {
    throw new StatefunError("INVALID_ARGUMENT", `"${typename}" is no type name: it must be "namespace/type"`);
  }
  return { namespace: typename.slice(0, slash), type: typename.slice(slash + 1) };
}

const split = new Map<string, { namespace: string; type: string }>();

/** As {@link splitTypename}, remembering what was split: a program has few type names and many messages. */
function cachedSplit(typename: string): { namespace: string; type: string } {
  let parts = split.get(typename);
  if (parts === undefined) {
    parts = splitTypename(typename);
    split.set(typename, parts);
  }
  return parts;
}

export function toWire({ typename, id }: Address): WireAddress {
  const { namespace, type } = cachedSplit(typename);
  return { namespace, type, id };
}

export function fromWire({ namespace, type, id }: WireAddress): Address {
  return { typename: `${namespace}/${type}`, id };
}

export { cachedSplit as typenameParts };
