import { type BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";

import type { Any } from "./gen/google/protobuf/any.js";
import { UnreadableMessageError, WrongTypeError } from "./errors.js";

/** A protobuf message type as ts-proto generates it. */
export interface MessageType<T> {
  /** Full name, such as `demo.v1.SeenCount`. */
  readonly $type: string;
  /** Appends the message to a writer, or to a new one. */
  encode(message: T, writer?: BinaryWriter): BinaryWriter;
  /** @throws when the bytes are not such a message */
  decode(input: BinaryReader | Uint8Array, length?: number): T;
}

const TYPE_URL_PREFIX = "type.googleapis.com/";

/** The Any type URL of a message type; StateFun's type name for it too. */
export const typeUrlOf = (type: { readonly $type: string }): string => TYPE_URL_PREFIX + type.$type;

/** A message of a type that is known only by name until it is unpacked. */
export class AnyMessage {
  constructor(
    readonly typeUrl: string,
    /** Part of the request's memory: copy what should outlive the batch. */
    readonly value: Uint8Array,
  ) {}

  /** Whether the message is of this type. */
  is(type: { readonly $type: string }): boolean {
    return this.typeUrl === typeUrlOf(type);
  }

  /**
   * @throws {WrongTypeError} when it is of a different type
   * @throws {UnreadableMessageError} when the bytes do not decode
   */
  unpack<T>(type: MessageType<T>): T {
    if (!this.is(type)) throw new WrongTypeError("the message", type.$type, this.typeUrl);
    return decode(type, this.value);
  }
}

/** Packs a message into a protobuf Any. */
export function pack<T>(type: MessageType<T>, message: T): Any {
  return { typeUrl: typeUrlOf(type), value: encode(type, message) };
}

/** Kept from one encoding to the next: a writer that has grown once need not grow again, unless it is huge. */
const KEPT_BYTES = 256 * 1024;
let spare: BinaryWriter | undefined;

/** A message's bytes. */
export function encode<T>(type: MessageType<T>, message: T): Buffer {
  // Taken, so that an encoding within this one, or after a failed one, gets its own writer.
  const writer = spare ?? new BinaryWriter();
  spare = undefined;
  const bytes = type.encode(message, writer).finish();
  if (bytes.length <= KEPT_BYTES) spare = writer;
  // The same memory as a Buffer, which is what the generated code calls bytes.
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** @throws {UnreadableMessageError} */
export function decode<T>(type: MessageType<T>, bytes: Uint8Array): T {
  try {
    return type.decode(bytes);
  } catch (cause) {
    throw new UnreadableMessageError(type.$type, cause);
  }
}
