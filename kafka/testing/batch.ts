import type { Codec } from "../compression/inflate.js";
import { CODECS } from "../compression/inflate.js";

/** A record to be put into a batch. */
export interface BatchRecord {
  readonly key?: string | null;
  readonly value: Buffer | string | null;
  readonly headers?: readonly (readonly [name: string, value: string | null])[];
  /** Default: one more than that of the record before. */
  readonly offset?: number;
}

export interface BatchOptions {
  readonly firstOffset: number;
  readonly codec?: Codec;
  /** Packs the records; default: as they are. */
  readonly pack?: (records: Buffer) => Buffer;
  readonly lastOffset?: number;
  readonly timestampMs?: number;
  readonly producerId?: number;
  readonly attributes?: number;
}

/** A batch as a broker stores it, but for the checksum, which is 0. For specs. */
export function batchOf(
  records: readonly BatchRecord[],
  {
    firstOffset,
    codec = "none",
    pack = (bytes) => bytes,
    lastOffset,
    timestampMs = 0,
    producerId = -1,
    attributes = 0,
  }: BatchOptions,
): Buffer {
  let offset = firstOffset - 1;
  const packed = pack(
    Buffer.concat(
      records.map((record) => {
        offset = record.offset ?? offset + 1;
        const headers = record.headers ?? [];
        const body = Buffer.concat([
          Buffer.from([0]),
          varint(0),
          varint(offset - firstOffset),
          bytes(record.key),
          bytes(record.value),
          varint(headers.length),
          ...headers.flatMap(([name, value]) => [bytes(name), bytes(value)]),
        ]);
        return Buffer.concat([varint(body.length), body]);
      }),
    ),
  );
  const head = Buffer.alloc(61);
  head.writeBigInt64BE(BigInt(firstOffset), 0);
  head.writeInt32BE(61 - 12 + packed.length, 8);
  head.writeInt8(2, 16);
  head.writeInt16BE(attributes | CODECS.indexOf(codec), 21);
  head.writeInt32BE((lastOffset ?? offset) - firstOffset, 23);
  head.writeBigInt64BE(BigInt(timestampMs), 27);
  head.writeBigInt64BE(BigInt(timestampMs), 35);
  head.writeBigInt64BE(BigInt(producerId), 43);
  head.writeInt32BE(records.length, 57);
  return Buffer.concat([head, packed]);
}

/** Zigzag, as Kafka writes numbers of a record. */
export function varint(value: number): Buffer {
  let left = value < 0 ? -value * 2 - 1 : value * 2;
  const out: number[] = [];
  for (; left >= 0x80; left = Math.floor(left / 128)) out.push((left % 128) | 0x80);
  return Buffer.from([...out, left]);
}

function bytes(value: Buffer | string | null | undefined): Buffer {
  if (value === null || value === undefined) return varint(-1);
  const raw = Buffer.from(value as string);
  return Buffer.concat([varint(raw.length), raw]);
}
