import { BinaryWriter } from "@bufbuild/protobuf/wire";

import type { MessageType } from "./any.js";
import { RequestError } from "./errors.js";

/** An encoded FromFunction: its pieces, which follow each other. A small one has a single piece. */
export type Reply = readonly Uint8Array[];

/** So many small pieces are joined to a larger one: by itself each takes more memory than its bytes. */
const SMALL_PIECES = 32;
const SMALL_BYTES = 2 * 1024;
/** Up to this many bytes the pieces are joined: one write is cheaper than several. */
const JOINED_BYTES = 64 * 1024;
const INVOCATION_RESULT = (100 << 3) | 2;
/** Fields of an InvocationResponse, in their order. */
const SECTIONS = ["mutations", "messages", "delayed", "egresses"] as const;
type Section = (typeof SECTIONS)[number];

/** How far a {@link ReplyWriter} was. */
export type ReplyMark = Readonly<Record<Section, number>>;

/**
 * The result of a call, encoded bit by bit while its messages run: kept as objects until the end it would take several
 * times its bytes, and a long time to encode at once.
 */
export class ReplyWriter {
  readonly #sections: Readonly<Record<Section, Pieces>> = {
    mutations: new Pieces(),
    messages: new Pieces(),
    delayed: new Pieces(),
    egresses: new Pieces(),
  };
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @throws {RequestError} when the reply gets too large */
  add<T>(section: Section, type: MessageType<T>, message: T): void {
    const writer = spare ?? new BinaryWriter();
    spare = undefined;
    const bytes = type.encode(message, writer.uint32(TAGS[section]).fork()).join().finish();
    if (bytes.length <= JOINED_BYTES) spare = writer;
    this.#sections[section].add(bytes);
    this.#requireSize();
  }

  /** How far it is, for {@link rollback}. */
  get mark(): ReplyMark {
    const { mutations, messages, delayed, egresses } = this.#sections;
    return {
      mutations: mutations.bytes,
      messages: messages.bytes,
      delayed: delayed.bytes,
      egresses: egresses.bytes,
    };
  }

  /** Forgets what came after a mark. */
  rollback(mark: ReplyMark): void {
    for (const section of SECTIONS) this.#sections[section].cut(mark[section]);
  }

  /** All of it. @throws {RequestError} when it is too large */
  finish(): Reply {
    const bytes = this.#requireSize();
    const head = new BinaryWriter().uint32(INVOCATION_RESULT).uint32(bytes).finish();
    const pieces = [head, ...SECTIONS.flatMap((section) => this.#sections[section].pieces)];
    return bytes <= JOINED_BYTES ? [Buffer.concat(pieces, head.length + bytes)] : pieces;
  }

  #requireSize(): number {
    const { mutations, messages, delayed, egresses } = this.#sections;
    const bytes = mutations.bytes + messages.bytes + delayed.bytes + egresses.bytes;
    if (bytes > this.#maxBytes)
      throw new RequestError("FUNCTION_FAILED", 500, `the reply would have more than ${this.#maxBytes} bytes`);
    return bytes;
  }
}

const tagOf = (field: number): number => (field << 3) | 2;
const TAGS: Readonly<Record<Section, number>> = {
  mutations: tagOf(1),
  messages: tagOf(2),
  delayed: tagOf(3),
  egresses: tagOf(4),
};
/** Kept from one message to the next, as it has grown. */
let spare: BinaryWriter | undefined;

/** A reply as one piece. */
export const joined = (reply: Reply): Uint8Array => (reply.length === 1 ? reply[0]! : Buffer.concat(reply));

/** How many bytes a reply has. */
export const sizeOf = (reply: Reply): number => reply.reduce((bytes, piece) => bytes + piece.length, 0);

class Pieces {
  readonly pieces: Uint8Array[] = [];
  bytes = 0;
  /** How many of the last ones are small. */
  #small = 0;

  add(piece: Uint8Array): void {
    this.pieces.push(piece);
    this.bytes += piece.length;
    this.#small = piece.length > SMALL_BYTES ? 0 : this.#small + 1;
    if (this.#small < SMALL_PIECES) return;
    this.pieces.push(Buffer.concat(this.pieces.splice(-SMALL_PIECES)));
    this.#small = 0;
  }

  /** Keeps so many bytes. */
  cut(bytes: number): void {
    while (this.bytes > bytes) {
      const last = this.pieces.pop()!;
      this.bytes -= last.length;
      if (this.bytes < bytes) this.pieces.push(last.subarray(0, bytes - this.bytes));
      this.bytes = Math.max(this.bytes, bytes);
      this.#small = 0;
    }
  }
}
