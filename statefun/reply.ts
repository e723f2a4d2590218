import { BinaryWriter } from "@bufbuild/protobuf/wire";

import {
  FromFunction,
  type FromFunction_DelayedInvocation,
  FromFunction_EgressMessage,
  FromFunction_Invocation,
  FromFunction_InvocationResponse,
  type FromFunction_PersistedValueMutation,
  TypedValue,
} from "./gen/io/statefun/reqreply.js";
import { encode } from "./any.js";
import { ReplyTooLargeError } from "./errors.js";

/** An encoded FromFunction: its pieces, which follow each other. A small one has a single piece. */
export type Reply = readonly Uint8Array[];

/** Of so many results, or of about so many bytes, a piece is encoded. */
const PIECE_RESULTS = 128;
const PIECE_BYTES = 32 * 1024;
/** A value of so many bytes is a piece by itself, and not copied: copies of large values are collected late. */
const LARGE_BYTES = 8 * 1024;
/** What a result has beside its value, about. */
const RESULT_BYTES = 64;
/** Up to this many bytes the pieces are joined: one write is cheaper than several. */
const JOINED_BYTES = 16 * 1024;
const INVOCATION_RESULT = (100 << 3) | 2;

/**
 * What a call's messages did. A small reply is encoded at once, in the end, which costs least. Of a larger one each
 * piece is encoded when it has come together: kept as objects, all of it would take several times its bytes, and a long
 * time to encode at once. Encoded results that follow each other are read as one that holds them all.
 */
export class ReplyWriter {
  readonly #maxBytes: number;
  readonly #pieces: Uint8Array[] = [];
  /** Of the pieces, and of those that were too much. */
  #bytes = 0;
  /** Not encoded yet: up to the savepoint, if there is any, and since. */
  #before: Results | undefined;
  #since = new Results();
  /** At the savepoint. */
  #savedPieces = 0;
  #savedBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * @param bytes - about how many it has
   * @throws {ReplyTooLargeError} when the reply gets too large: a piece later at the latest, and by {@link finish}
   */
  add<S extends Section>(section: S, result: FromFunction_InvocationResponse[S][number], bytes: number): void {
    if (bytes >= LARGE_BYTES && this.#addLarge(section, result)) return this.#requireSize();
    this.#since.add(section, result, bytes);
    const { length = 0, bytes: bytesBefore = 0 } = this.#before ?? {};
    if (length + this.#since.length < PIECE_RESULTS && bytesBefore + this.#since.bytes < PIECE_BYTES) return;
    this.#encode();
    this.#requireSize();
  }

  /** Remembers how far it is, for {@link rollback}. */
  savepoint(): void {
    this.#before = this.#before?.append(this.#since) ?? this.#since;
    this.#since = new Results();
    this.#savedPieces = this.#pieces.length;
    this.#savedBytes = this.#bytes;
  }

  /** Forgets what came after the last savepoint. */
  rollback(): void {
    this.#since = new Results();
    this.#pieces.length = this.#savedPieces;
    this.#bytes = this.#savedBytes;
  }

  /** All of it. @throws {ReplyTooLargeError} when it is too large */
  finish(): Reply {
    if (this.#pieces.length === 0) {
      const value = this.#before?.append(this.#since) ?? this.#since;
      const reply = encode(FromFunction, { response: { $case: "invocationResult", value } });
      this.#bytes += reply.length;
      this.#requireSize();
      return [reply];
    }
    this.#encode();
    this.#requireSize();
    const head = new BinaryWriter().uint32(INVOCATION_RESULT).uint32(this.#bytes).finish();
    const pieces = [head, ...this.#pieces];
    return this.#bytes <= JOINED_BYTES ? [Buffer.concat(pieces)] : pieces;
  }

  /** Encodes what is not encoded yet. */
  #encode(): void {
    if (this.#before !== undefined) {
      this.#keep(this.#before);
      this.#before = undefined;
      // A rollback keeps what was there before the savepoint.
      this.#savedPieces = this.#pieces.length;
      this.#savedBytes = this.#bytes;
    }
    this.#keep(this.#since);
    this.#since = new Results();
  }

  #keep(results: Results): void {
    if (results.length > 0) this.#keepPiece(encode(FromFunction_InvocationResponse, results));
  }

  #keepPiece(piece: Uint8Array): void {
    this.#bytes += piece.length;
    if (this.#bytes <= this.#maxBytes) this.#pieces.push(piece);
  }

  /** @returns whether its value is large, and comes last in it */
  #addLarge<S extends Section>(section: S, result: FromFunction_InvocationResponse[S][number]): boolean {
    const last = LAST_ARGUMENTS[section];
    const { argument } = result as Partial<FromFunction_EgressMessage>;
    if (last === undefined || argument === undefined || argument.value.length < LARGE_BYTES) return false;
    this.#encode();
    for (const piece of piecesOf(last, result as LastArgument, argument)) this.#keepPiece(piece);
    return true;
  }

  #requireSize(): void {
    if (this.#bytes > this.#maxBytes) throw new ReplyTooLargeError(this.#maxBytes);
  }
}

type Section = (typeof SECTIONS)[number];

type LastArgument = FromFunction_Invocation & FromFunction_EgressMessage;
/** Those sections whose results end in a value: their field, the value's field in a result, and the rest of that. */
const LAST_ARGUMENTS: Partial<
  Record<Section, { readonly result: number; readonly argument: number; readonly rest: (of: LastArgument) => Buffer }>
> = {
  outgoingMessages: {
    result: (2 << 3) | 2,
    argument: (2 << 3) | 2,
    rest: ({ target }) => encode(FromFunction_Invocation, { target, argument: undefined }),
  },
  outgoingEgresses: {
    result: (4 << 3) | 2,
    argument: (3 << 3) | 2,
    rest: (of) => encode(FromFunction_EgressMessage, { ...of, argument: undefined }),
  },
};
const VALUE = (3 << 3) | 2;

/** An encoded result that ends in a value, without a copy of that. */
function piecesOf(
  { result, argument, rest }: NonNullable<(typeof LAST_ARGUMENTS)[Section]>,
  of: LastArgument,
  { typename, hasValue, value }: TypedValue,
): readonly Uint8Array[] {
  const { length } = value;
  const typed = TypedValue.encode({ typename, hasValue, value: NO_BYTES }).uint32(VALUE).uint32(length).finish();
  const last = new BinaryWriter()
    .uint32(argument)
    .uint32(typed.length + length)
    .raw(typed)
    .finish();
  const before = rest(of);
  const first = new BinaryWriter()
    .uint32(result)
    .uint32(before.length + last.length + length)
    .finish();
  return [first, before, last, value];
}
const NO_BYTES = Buffer.alloc(0);

/** Results that are not encoded yet. */
class Results implements FromFunction_InvocationResponse {
  readonly stateMutations: FromFunction_PersistedValueMutation[] = [];
  readonly outgoingMessages: FromFunction_Invocation[] = [];
  readonly delayedInvocations: FromFunction_DelayedInvocation[] = [];
  readonly outgoingEgresses: FromFunction_EgressMessage[] = [];
  length = 0;
  bytes = 0;

  add<S extends Section>(section: S, result: FromFunction_InvocationResponse[S][number], bytes: number): void {
    // TypeScript does not see that a section's results are of its type.
    (this[section] as (typeof result)[]).push(result);
    this.length++;
    this.bytes += bytes + RESULT_BYTES;
  }

  /** Adds later ones. */
  append(later: Results): this {
    for (const section of SECTIONS) (this[section] as unknown[]).push(...later[section]);
    this.length += later.length;
    this.bytes += later.bytes;
    return this;
  }
}
const SECTIONS = ["stateMutations", "outgoingMessages", "delayedInvocations", "outgoingEgresses"] as const;

/** A reply as one piece. */
export const joined = (reply: Reply): Uint8Array => (reply.length === 1 ? reply[0]! : Buffer.concat(reply));

/** How many bytes a reply has. */
export const sizeOf = (reply: Reply): number => reply.reduce((bytes, piece) => bytes + piece.length, 0);
