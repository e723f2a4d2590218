import { gunzip } from "node:zlib";

import { decompressFrame } from "lz4-napi";
import { ZSTDDecoder } from "zstddec";

import { InflateError, tooLarge } from "./inflate-error.js";
import { lz4Frame } from "./lz4-frame.js";
import { inflateSnappy } from "./snappy.js";

/** Kafka's codecs, by the numbers that its protocol gives them. */
export const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"] as const;
export type Codec = (typeof CODECS)[number];

const inflaters: Readonly<
  Record<Exclude<Codec, "none">, (bytes: Buffer, maxBytes: number) => Promise<Buffer> | Buffer>
> = {
  gzip: (bytes, maxBytes) =>
    new Promise((resolve, reject) =>
      gunzip(bytes, { maxOutputLength: maxBytes }, (error: NodeJS.ErrnoException | null, inflated) =>
        error === null ? resolve(inflated) : reject(error.code === "ERR_BUFFER_TOO_LARGE" ? tooLarge(maxBytes) : error),
      ),
    ),
  snappy: inflateSnappy,
  lz4: (bytes, maxBytes) => {
    const { end, atMostBytes } = lz4Frame(bytes);
    if (atMostBytes > maxBytes) throw tooLarge(maxBytes);
    return decompressFrame(bytes.subarray(0, end));
  },
  zstd: inflateZstd,
};

/**
 * Unpacks what one of Kafka's codecs has packed, and takes no more memory for it than it may.
 *
 * @param maxBytes - what it may unpack to
 * @throws {InflateError}
 */
export async function inflate(codec: Exclude<Codec, "none">, bytes: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    return await inflaters[codec](bytes, maxBytes);
  } catch (cause) {
    if (cause instanceof InflateError) throw cause;
    throw new InflateError("damaged", `it is not ${codec}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

const ZSTD_MAGIC = 0xfd2fb528;
const zstd = new ZSTDDecoder();

/**
 * Into a buffer of the greatest size that is allowed, for streams such as Java's don't tell their length. The decoder
 * says no more than that it failed: by no bytes.
 */
async function inflateZstd(bytes: Buffer, maxBytes: number): Promise<Buffer> {
  if (bytes.length < 4 || bytes.readUInt32LE(0) !== ZSTD_MAGIC) throw new InflateError("damaged", "it is not zstd");
  await zstd.init();
  const inflated = zstd.decode(bytes, maxBytes);
  if (inflated.length === 0)
    throw new InflateError("too-large", `it unpacks to more than ${maxBytes} bytes, or is damaged`);
  return Buffer.from(inflated.buffer, inflated.byteOffset, inflated.byteLength);
}
