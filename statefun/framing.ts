import { RequestError } from "./errors.js";
import { type Reply, sizeOf } from "./reply.js";

/** The content types of requests and responses of many calls; README.md specifies them. */
export const BATCH_CONTENT_TYPE = "application/x-statefun-batch";

const VERSION = 1;
const VERSION_BYTES = 1;
const LENGTH_BYTES = 4;
const ID_BYTES = 4;
/** What the framing adds to the body of a single call, in bytes. */
export const FRAMING_BYTES = VERSION_BYTES + LENGTH_BYTES + ID_BYTES;
const REPLY_HEAD_BYTES = LENGTH_BYTES + 1 + ID_BYTES;
const STATUS_BYTES = 2;
const [RESULT, ERROR, ALIVE] = [0, 1, 2];
const NO_CALL = 0;
/** A larger payload is not copied: copies of that size are collected late. */
const COPIED_BYTES = 16 * 1024;

/** One call of a request. */
export interface FramedCall {
  /** Given by the client; the answer carries it too. */
  readonly id: number;
  /** An encoded ToFunction, in the request's own memory. */
  readonly payload: Uint8Array;
}

/**
 * The calls of a request, in order. The ids are not checked.
 *
 * @throws {RequestError} `MALFORMED_REQUEST`, 413 when there are more than `maxCalls`, otherwise 400
 */
export function decodeCalls(bytes: Uint8Array, maxCalls: number): FramedCall[] {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (body.length === 0) throw malformed("the body is empty: not even a version");
  if (body[0] !== VERSION) throw malformed(`the framing has version ${body[0]}, not ${VERSION}`);
  const calls: FramedCall[] = [];
  for (let at = VERSION_BYTES; at < body.length;) {
    if (calls.length === maxCalls)
      throw new RequestError("MALFORMED_REQUEST", 413, `the request has more than ${maxCalls} calls`);
    const start = at + LENGTH_BYTES;
    if (start > body.length) throw malformed(`frame ${calls.length} is cut off in its length`);
    const length = body.readUInt32BE(at);
    if (length < ID_BYTES) throw malformed(`frame ${calls.length} has ${length} bytes: too few for a call id`);
    const end = start + length;
    if (end > body.length)
      throw malformed(`frame ${calls.length} has ${length} bytes, of which ${body.length - start} are there`);
    calls.push({ id: body.readUInt32BE(start), payload: body.subarray(start + ID_BYTES, end) });
    at = end;
  }
  return calls;
}

const malformed = (why: string): RequestError => new RequestError("MALFORMED_REQUEST", 400, why);

/** Collects frames of one response, so that many leave in one buffer and one write. */
export class ReplyFrames {
  readonly #kinds: number[] = [];
  readonly #ids: number[] = [];
  readonly #payloads: Reply[] = [];
  #begun = false;
  #bytes = 0;

  /** What {@link take} would copy, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param payload - must not change before it is taken */
  result(id: number, payload: Reply): void {
    this.#add(RESULT, id, payload);
  }

  /** @param status - the status that a request with this call alone would have been answered with */
  error(id: number, status: number, text: string): void {
    const payload = Buffer.allocUnsafe(STATUS_BYTES + Buffer.byteLength(text));
    payload.writeUInt16BE(status);
    payload.write(text, STATUS_BYTES);
    this.#add(ERROR, id, [payload]);
  }

  /** Says that the server is still working on the request. */
  alive(): void {
    this.#add(ALIVE, NO_CALL, []);
  }

  #add(kind: number, id: number, payload: Reply): void {
    this.#kinds.push(kind);
    this.#ids.push(id);
    this.#payloads.push(payload);
    this.#bytes += REPLY_HEAD_BYTES + sizeOf(payload);
  }

  /** The bytes collected since the last time, in pieces; the very first ones begin the response. */
  take(): Buffer[] {
    const sizes = this.#payloads.map(sizeOf);
    const large = sizes.reduce((sum, size) => (size > COPIED_BYTES ? sum + size : sum), 0);
    const out = Buffer.allocUnsafe(this.#bytes - large + (this.#begun ? 0 : VERSION_BYTES));
    const pieces: Buffer[] = [];
    let at = 0;
    let from = 0;
    if (!this.#begun) at = out.writeUInt8(VERSION, at);
    for (const [index, payload] of this.#payloads.entries()) {
      const size = sizes[index]!;
      at = out.writeUInt32BE(1 + ID_BYTES + size, at);
      at = out.writeUInt8(this.#kinds[index]!, at);
      at = out.writeUInt32BE(this.#ids[index]!, at);
      if (size > COPIED_BYTES) {
        pieces.push(out.subarray(from, at), ...payload.map(asBuffer));
        from = at;
      } else
        for (const piece of payload) {
          out.set(piece, at);
          at += piece.length;
        }
    }
    if (at > from) pieces.push(out.subarray(from, at));
    this.#begun = true;
    this.#bytes = this.#kinds.length = this.#ids.length = this.#payloads.length = 0;
    return pieces;
  }
}

const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
