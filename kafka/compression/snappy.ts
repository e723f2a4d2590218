import { snappyUncompressor } from "hysnappy";

import { InflateError, tooLarge } from "./inflate-error.js";

/**
 * How snappy-java (xerial), and so Java's, Python's and most other producers begin: this, two versions, then chunks.
 * Others send one bare block.
 */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEAD_BYTES = 16;
const LENGTH_BYTES = 4;
/** Of a block's length, 7 bits a byte. */
const MAX_VARINT_BYTES = 5;

const uncompress = snappyUncompressor();

/** Snappy in either of Kafka's framings. @throws {InflateError} */
export function inflateSnappy(bytes: Buffer, maxBytes: number): Buffer {
  if (!startsXerial(bytes, 0)) return inflateBlock(bytes, maxBytes);
  const chunks: Buffer[] = [];
  let left = maxBytes;
  for (let at = 0; at < bytes.length;) {
    // Streams may follow one another.
    if (startsXerial(bytes, at)) {
      at += XERIAL_HEAD_BYTES;
      continue;
    }
    const end = at + LENGTH_BYTES + (at + LENGTH_BYTES <= bytes.length ? bytes.readUInt32BE(at) : Infinity);
    if (end > bytes.length) throw new InflateError("damaged", "its last chunk is cut off");
    const chunk = inflateBlock(bytes.subarray(at + LENGTH_BYTES, end), left, maxBytes);
    chunks.push(chunk);
    left -= chunk.length;
    at = end;
  }
  return Buffer.concat(chunks);
}

const startsXerial = (bytes: Buffer, at: number): boolean =>
  bytes.length >= at + XERIAL_HEAD_BYTES && bytes.subarray(at, at + XERIAL_MAGIC.length).equals(XERIAL_MAGIC);

/** @param allowed - what is told to people: the bound of all blocks together */
function inflateBlock(block: Buffer, maxBytes: number, allowed = maxBytes): Buffer {
  const length = blockLength(block);
  if (length > maxBytes) throw tooLarge(allowed);
  const inflated = uncompress(block, length);
  return Buffer.from(inflated.buffer, inflated.byteOffset, inflated.byteLength);
}

/** What a block says that it unpacks to. */
function blockLength(block: Buffer): number {
  let length = 0;
  for (let at = 0; at < MAX_VARINT_BYTES && at < block.length; at++) {
    const byte = block[at]!;
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return length;
  }
  throw new InflateError("damaged", "it has no length");
}
