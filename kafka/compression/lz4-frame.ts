import { InflateError } from "./inflate-error.js";

const MAGIC = 0x184d2204;
const BLOCK_CHECKSUM = 0x10;
const CONTENT_SIZE = 0x08;
const CONTENT_CHECKSUM = 0x04;
const DICTIONARY = 0x01;
/** By the three bits of a frame's header. */
const BLOCK_BYTES: Readonly<Record<number, number>> = {
  4: 64 * 1024,
  5: 256 * 1024,
  6: 1024 * 1024,
  7: 4 * 1024 * 1024,
};
const STORED = 0x8000_0000;
/** A byte of a block expands to no more than this many. */
const GREATEST_RATIO = 255;

/**
 * Walks over an LZ4 frame without unpacking it: its library would take whatever memory it asks for.
 *
 * @returns where it ends, and the most that it can unpack to: too much by less than its last block
 * @throws {InflateError} when it is not one
 */
export function lz4Frame(bytes: Buffer): { readonly end: number; readonly atMostBytes: number } {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== MAGIC) throw new InflateError("damaged", "it is not an lz4 frame");
  const flags = bytes[4]!;
  const blockBytes = BLOCK_BYTES[(bytes[5]! >> 4) & 7];
  if (blockBytes === undefined) throw new InflateError("damaged", "its lz4 blocks have no known size");
  let at = 7 + (flags & CONTENT_SIZE ? 8 : 0) + (flags & DICTIONARY ? 4 : 0);
  let atMostBytes = 0;
  for (;;) {
    if (at + 4 > bytes.length) throw new InflateError("damaged", "its lz4 frame is cut off");
    const size = bytes.readUInt32LE(at);
    at += 4;
    if (size === 0) break;
    const packed = size >= STORED ? size - STORED : size;
    atMostBytes += size >= STORED ? packed : Math.min(blockBytes, packed * GREATEST_RATIO);
    at += packed + (flags & BLOCK_CHECKSUM ? 4 : 0);
  }
  const end = at + (flags & CONTENT_CHECKSUM ? 4 : 0);
  if (end > bytes.length) throw new InflateError("damaged", "its lz4 frame is cut off");
  return { end, atMostBytes };
}
