import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

import { RequestError } from "./errors.js";

/** Messages within a message, by field number. */
interface Shape {
  readonly [field: number]: Shape;
}
const LEAF: Shape = {};
const TO_FUNCTION: Shape = {
  100: { 1: LEAF, 2: { 2: LEAF }, 3: { 1: LEAF, 2: LEAF } },
};

/** A smaller body cannot grow enough to have to be counted first. */
const COUNTED_BYTES = 64 * 1024;
/** An invocation has nine fields, with its caller and its argument. */
const FIELDS_EACH = 12;

/**
 * Finds out how large a body would become before it is decoded: an invocation may take two bytes, and a hundred times
 * as much once decoded.
 *
 * @throws {RequestError} 413 when it has more than `maxInvocations`, or fields enough for more; 400 when malformed
 */
export function requireCount(body: Uint8Array, maxInvocations: number): void {
  if (body.length <= COUNTED_BYTES) return;
  const reader = new BinaryReader(body);
  let left = maxInvocations * FIELDS_EACH;
  const walk = (end: number, shape: Shape): void => {
    while (reader.pos < end) {
      if (left-- === 0) throw tooMany(maxInvocations);
      const tag = reader.uint32();
      const wireType: WireType = tag & 7;
      const inner = wireType === WireType.LengthDelimited ? shape[tag >>> 3] : undefined;
      if (inner !== undefined) {
        const length = reader.uint32();
        walk(reader.pos + length, inner);
      } else if (wireType === WireType.StartGroup) throw new RangeError("proto3 has no groups");
      else reader.skip(wireType);
    }
  };
  try {
    walk(body.length, TO_FUNCTION);
  } catch (cause) {
    if (cause instanceof RequestError) throw cause;
    throw new RequestError("MALFORMED_REQUEST", 400, "the body is not a ToFunction message", { cause });
  }
}

/** The error for a request that holds more than is accepted. */
export const tooMany = (maxInvocations: number): RequestError =>
  new RequestError("MALFORMED_REQUEST", 413, `the request has more than ${maxInvocations} invocations`);
