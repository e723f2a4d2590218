import { BinaryReader, BinaryWriter, type WireType } from "@bufbuild/protobuf/wire";

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
    return decode(type, this.value, MAX_UNKNOWN_FIELDS.message);
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
export const encode = <T>(type: MessageType<T>, message: T): Buffer =>
  written((writer) => void type.encode(message, writer));

/**
 * The bytes of a message one of whose fields is another one, packed in an Any.
 *
 * @param before - the message with its fields before that alone
 * @param after - and with those after it
 */
export const encodeAround = <R, T>(
  around: MessageType<R>,
  before: R,
  fieldTag: number,
  type: MessageType<T>,
  packed: T,
  after: R,
): Buffer =>
  written((writer) => {
    around.encode(before, writer);
    // In one go: encoded by itself, and then copied twice, it would leave three times as much for garbage collection,
    // which comes late for memory outside of V8's heap.
    writer.uint32(fieldTag).fork().uint32(ANY_TYPE_URL).string(typeUrlOf(type)).uint32(ANY_VALUE).fork();
    type.encode(packed, writer).join().join();
    around.encode(after, writer);
  });
const [ANY_TYPE_URL, ANY_VALUE] = [(1 << 3) | 2, (2 << 3) | 2];

function written(write: (writer: BinaryWriter) => void): Buffer {
  // Taken, so that an encoding within this one, or after a failed one, gets its own writer.
  const writer = spare ?? new BinaryWriter();
  spare = undefined;
  write(writer);
  const bytes = writer.finish();
  if (bytes.length <= KEPT_BYTES) spare = writer;
  // The same memory as a Buffer, which is what the generated code calls bytes.
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * How many fields that their types do not know a message and a state may have. They are kept, since a later version may
 * have written them; but each, of two bytes, takes two hundred and more. A state has more than a message: it must be
 * readable when an earlier version takes over again.
 */
export const MAX_UNKNOWN_FIELDS = { message: 512, state: 1_024 } as const;

/**
 * How many messages and numbers of 64 bits may be within a value, at any depth: each, of one byte or two, becomes an
 * object of its own, and all in one go.
 */
export const MAX_OBJECTS = 16_384;

/** Counts unknown fields. */
class FieldCounter extends BinaryReader {
  readonly #maxUnknown: number;
  #unknown = 0;

  constructor(bytes: Uint8Array, maxUnknown: number) {
    super(bytes);
    this.#maxUnknown = maxUnknown;
  }

  // Generated code skips, and then keeps, what it does not know.
  override skip(wireType: WireType, fieldNo?: number, recursionLimit?: number): Uint8Array {
    if (++this.#unknown > this.#maxUnknown) throw new RangeError(`it has more than ${this.#maxUnknown} unknown fields`);
    return super.skip(wireType, fieldNo, recursionLimit);
  }
}

/** Counts messages and numbers as well. */
class ObjectCounter extends FieldCounter {
  #depth = 0;
  /** The value itself is not within it. */
  #objects = -1;

  // Generated code sets this when a message begins, and again when it ends.
  get __tsProtoDecodeDepth(): number {
    return this.#depth;
  }
  set __tsProtoDecodeDepth(depth: number) {
    if (depth > this.#depth) this.#count();
    this.#depth = depth;
  }

  override int64(): bigint | string {
    this.#count();
    return super.int64();
  }
  override uint64(): bigint | string {
    this.#count();
    return super.uint64();
  }
  override sint64(): bigint | string {
    this.#count();
    return super.sint64();
  }
  override fixed64(): bigint | string {
    this.#count();
    return super.fixed64();
  }
  override sfixed64(): bigint | string {
    this.#count();
    return super.sfixed64();
  }

  #count(): void {
    if (++this.#objects > MAX_OBJECTS)
      throw new RangeError(`there are more than ${MAX_OBJECTS} messages and numbers of 64 bits in it`);
  }
}

/** Nothing is counted of a value that is too short to go beyond a bound: ordinary ones are, and counting costs time. */
function readerOf(bytes: Uint8Array, maxUnknown: number): BinaryReader {
  if (bytes.length > MAX_OBJECTS) return new ObjectCounter(bytes, maxUnknown);
  // An unknown field has two bytes at least.
  return bytes.length > 2 * maxUnknown ? new FieldCounter(bytes, maxUnknown) : new BinaryReader(bytes);
}

/** @throws {UnreadableMessageError} */
export function decode<T>(type: MessageType<T>, bytes: Uint8Array, maxUnknown = Infinity): T {
  try {
    return type.decode(readerOf(bytes, maxUnknown));
  } catch (cause) {
    throw new UnreadableMessageError(type.$type, cause);
  }
}
