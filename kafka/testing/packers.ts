import { gzipSync } from "node:zlib";

import { snappyCompress } from "hysnappy";
import { compressFrameSync } from "lz4-napi";

/** What producers do to a batch's records, by name: each codec, and snappy in both framings. For specs. */
export const PACKERS = {
  gzip: { codec: "gzip", pack: (bytes: Buffer): Buffer => gzipSync(bytes) },
  "snappy, one block": { codec: "snappy", pack: (bytes: Buffer): Buffer => Buffer.from(snappyCompress(bytes)) },
  "snappy, xerial": { codec: "snappy", pack: xerial },
  lz4: { codec: "lz4", pack: (bytes: Buffer): Buffer => compressFrameSync(bytes) },
  zstd: { codec: "zstd", pack: zstdUncompressed },
} as const;

const XERIAL_HEAD = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
const XERIAL_CHUNK_BYTES = 32 * 1024;

function xerial(bytes: Buffer): Buffer {
  const parts: Buffer[] = [XERIAL_HEAD];
  for (let at = 0; at < bytes.length; at += XERIAL_CHUNK_BYTES) {
    const block = Buffer.from(snappyCompress(bytes.subarray(at, at + XERIAL_CHUNK_BYTES)));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

const ZSTD_BLOCK_BYTES = 128 * 1024;
/** Magic number; neither the content's length nor a checksum; a window of 2 MiB: as Java's stream begins. */
const ZSTD_HEAD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58]);

/** Blocks as they are: what is tested is the reading. Runs of one byte take 4 bytes, as any zstd would make of them. */
function zstdUncompressed(bytes: Buffer): Buffer {
  const parts: Buffer[] = [ZSTD_HEAD];
  for (let at = 0; at < bytes.length; at += ZSTD_BLOCK_BYTES) {
    const block = bytes.subarray(at, at + ZSTD_BLOCK_BYTES);
    const last = at + ZSTD_BLOCK_BYTES >= bytes.length ? 1 : 0;
    const run = block.every((byte) => byte === block[0]);
    const head = Buffer.alloc(3);
    head.writeUIntLE((block.length << 3) | ((run ? 1 : 0) << 1) | last, 0, 3);
    parts.push(head, run ? block.subarray(0, 1) : block);
  }
  return Buffer.concat(parts);
}
