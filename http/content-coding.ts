import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, inflateRaw, type ZlibOptions } from "node:zlib";

interface Decoded {
  readonly buffer: Buffer;
  /** How many bytes were taken in. */
  readonly engine: { readonly bytesWritten: number };
}
type Decoder = (bytes: Buffer, options: ZlibOptions & { readonly info: true }) => Promise<Decoded>;

// The result that `info` gives is missing from the types.
const promised = (decoder: unknown): Decoder =>
  promisify(
    decoder as (bytes: Buffer, options: ZlibOptions, done: (error: Error | null, result: Decoded) => void) => void,
  );
const [unzip, zlib, raw] = [promised(gunzip), promised(inflate), promised(inflateRaw)];
const DECODERS: Readonly<Record<string, Decoder>> = {
  gzip: unzip,
  "x-gzip": unzip,
  // With zlib's two bytes before it, as RFC 9110 says, or without them, as some clients have always sent it.
  deflate: (bytes, options) => (hasZlibHeader(bytes) ? zlib : raw)(bytes, options),
  br: promised(brotliDecompress),
};

/** For the header `Accept-Encoding`. */
export const CODINGS = "gzip, deflate, br, identity";
/** The most codings of one body, one after the other. Nobody needs two. */
const MAX_CODINGS = 3;

/** A body has a coding that is not supported here. */
export class UnknownCodingError extends Error {
  override readonly name = "UnknownCodingError";
}

/** A body is not what its `Content-Encoding` says. */
export class BrokenCodingError extends Error {
  override readonly name = "BrokenCodingError";
}

/** A decoded body has more bytes than it may. */
export class DecodedTooLargeError extends Error {
  override readonly name = "DecodedTooLargeError";
}

/**
 * The codings of a `Content-Encoding`, as they were applied; none for `identity`.
 *
 * @throws {UnknownCodingError}
 */
export function codingsOf(header: string | undefined): readonly string[] {
  const codings = (header ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && name !== "identity");
  const unknown = codings.find((name) => !Object.hasOwn(DECODERS, name));
  if (unknown !== undefined)
    throw new UnknownCodingError(
      `content-encoding ${unknown.slice(0, 64)} is not read here: send one of ${CODINGS}, or no content-encoding`,
    );
  if (codings.length > MAX_CODINGS)
    throw new UnknownCodingError(`content-encoding names ${codings.length} codings, of ${MAX_CODINGS} at most`);
  return codings;
}

/**
 * Decodes a body, outside JavaScript's thread. A few bytes that expand into many never do so completely: decoding stops
 * at the bound.
 *
 * @param maxBytes - the bound of the result, and of what is between two codings
 * @throws {BrokenCodingError}
 * @throws {DecodedTooLargeError}
 */
export async function decodeBody(bytes: Buffer, codings: readonly string[], maxBytes: number): Promise<Buffer> {
  let decoded = bytes;
  for (const name of codings.toReversed()) {
    const { buffer, engine } = await DECODERS[name]!(decoded, { maxOutputLength: maxBytes, info: true }).catch(
      (cause: unknown) => {
        if (cause instanceof RangeError)
          throw new DecodedTooLargeError(`the request's ${name} holds more than ${maxBytes} bytes`, { cause });
        throw new BrokenCodingError(
          `content-encoding says ${name}, but the body is not: ${cause instanceof Error ? cause.message : String(cause)}`,
          { cause },
        );
      },
    );
    if (engine.bytesWritten < decoded.length)
      throw new BrokenCodingError(
        `content-encoding says ${name}, and after its end there are ${decoded.length - engine.bytesWritten} bytes more`,
      );
    decoded = buffer;
  }
  return decoded;
}

const hasZlibHeader = (bytes: Buffer): boolean =>
  bytes.length >= 2 && (bytes[0]! & 0x0f) === 8 && bytes.readUInt16BE(0) % 31 === 0;
