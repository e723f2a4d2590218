import { BinaryWriter } from "@bufbuild/protobuf/wire";

import { RequestError } from "./errors.js";

/** An encoded FromFunction: its pieces, which follow each other. A small one has a single piece. */
export type Reply = readonly Uint8Array[];

const FIRST_BYTES = 512;
const LARGEST_BYTES = 256 * 1024;
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

  /** @param message - encoded, as the section has it. @throws {RequestError} when the reply gets too large */
  add(section: Section, message: Uint8Array): void {
    this.#sections[section].add(tagOf(section), message);
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

const tagOf = (section: Section): number => ((SECTIONS.indexOf(section) + 1) << 3) | 2;

/** A reply as one piece. */
export const joined = (reply: Reply): Uint8Array => (reply.length === 1 ? reply[0]! : Buffer.concat(reply));

/** How many bytes a reply has. */
export const sizeOf = (reply: Reply): number => reply.reduce((bytes, piece) => bytes + piece.length, 0);

/** Bytes in pieces that grow with them, so that none is copied when there is more. */
class Pieces {
  readonly #full: Buffer[] = [];
  #last: Buffer = Buffer.alloc(0);
  #used = 0;
  bytes = 0;

  add(tag: number, message: Uint8Array): void {
    // A tag has one byte here, a length five at most.
    if (this.#last.length - this.#used < 6 + message.length) this.#grow(6 + message.length);
    this.#last[this.#used++] = tag;
    let length = message.length;
    for (; length > 0x7f; length >>>= 7) this.#last[this.#used++] = (length & 0x7f) | 0x80;
    this.#last[this.#used++] = length;
    this.#last.set(message, this.#used);
    this.#used += message.length;
    this.bytes = this.#fullBytes + this.#used;
  }

  get pieces(): Buffer[] {
    return this.#used === 0 ? this.#full : [...this.#full, this.#last.subarray(0, this.#used)];
  }

  cut(bytes: number): void {
    while (bytes < this.#fullBytes) {
      this.#last = this.#full.pop()!;
      this.#fullBytes -= this.#last.length;
    }
    this.#used = bytes - this.#fullBytes;
    this.bytes = bytes;
  }

  #fullBytes = 0;

  #grow(bytes: number): void {
    if (this.#used > 0) {
      this.#full.push(this.#last.subarray(0, this.#used));
      this.#fullBytes += this.#used;
    }
    const size = Math.min(LARGEST_BYTES, Math.max(FIRST_BYTES, 2 * this.#last.length));
    this.#last = Buffer.allocUnsafe(Math.max(size, bytes));
    this.#used = 0;
  }
}
