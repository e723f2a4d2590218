import type { KafkaMessage } from "kafkajs";

import { InflateError } from "./compression/inflate-error.js";
import { CODECS, inflate } from "./compression/inflate.js";
import { WireReader } from "./wire-reader.js";

/** What a batch may unpack to. A megabyte, the most that brokers take as they come, is ten times that of JSON. */
export const MAX_INFLATED_BYTES = 16 * 1024 * 1024;
/**
 * No further batch is unpacked, nor record read, for one answer: the rest is fetched again. So many small bombs take no
 * more memory than one.
 */
const ENOUGH_INFLATED_BYTES = 4 * 1024 * 1024;
const ENOUGH_RECORDS = 20_000;

const HEADER_BYTES = 61;
/** Of a batch: its first offset and its length, which counts from there. */
const LENGTH_ENDS_AT = 12;
const MAGIC_AT = 16;
const MAGIC = 2;
const CODEC_MASK = 0x07;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

/** What kafkajs wants to know of the batch that a record came in. */
interface BatchContext {
  readonly partitionLeaderEpoch: number;
  readonly producerId: string;
  readonly inTransaction: boolean;
}

/** Records that stand in a topic and that nobody can read. */
export interface UnreadableBatch {
  readonly firstOffset: bigint;
  readonly lastOffset: bigint;
  readonly kind: InflateError["kind"];
  /** For people, without the position. */
  readonly message: string;
}

const UNREADABLE = Symbol("unreadable");

/** A record as kafkajs hands it on; or what stands for records that cannot be read, or are gone. */
export interface FetchedRecord {
  readonly magicByte: number;
  readonly attributes: number;
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Record<string, Buffer | (Buffer | undefined)[] | undefined>;
  readonly isControlRecord: boolean;
  readonly batchContext: BatchContext;
  readonly [UNREADABLE]?: UnreadableBatch;
}

/**
 * What a message stands for that is not a record: a batch, or its rest, that was not unpacked. Its offset is the last
 * one of them, so that whoever settles it goes on behind them.
 */
export function unreadableBatch(message: KafkaMessage): UnreadableBatch | undefined {
  return (message as Partial<FetchedRecord>)[UNREADABLE];
}

/**
 * Reads one partition's records of a fetch answer, from an offset on.
 *
 * What cannot be unpacked within bounds, or read, becomes one message ({@link unreadableBatch}) in its stead: kafkajs
 * would fail at it for good, and with it every partition of the answer. Where the log was compacted behind a batch's
 * last record, a control record, which nobody is shown, leads past the gap.
 *
 * @param bytes - the last batch may be cut off
 */
export async function readBatches(bytes: Buffer, fetchOffset: bigint): Promise<FetchedRecord[]> {
  const records: FetchedRecord[] = [];
  let inflatedBytes = 0;
  for (let at = 0; at + MAGIC_AT < bytes.length;) {
    const isBatch = bytes[at + MAGIC_AT] === MAGIC;
    const end = at + LENGTH_ENDS_AT + bytes.readInt32BE(at + LENGTH_ENDS_AT - 4);
    // Where the next one begins is not known either.
    if (end < at + (isBatch ? HEADER_BYTES : MAGIC_AT + 1)) throw new Error(`a batch of ${end - at} bytes cannot be`);
    if (end > bytes.length || records.length >= ENOUGH_RECORDS || inflatedBytes >= ENOUGH_INFLATED_BYTES) break;
    const batch = bytes.subarray(at, end);
    at = end;
    const head = isBatch ? readHead(batch) : headOfOldMessage(batch);
    if (BigInt(head.lastOffset) < fetchOffset) continue;
    const from = Math.max(head.firstOffset, Number(fetchOffset));
    const before = records.length;
    try {
      if (!isBatch) throw new InflateError("damaged", "it has the format of before Kafka 0.11");
      const codec = CODECS[head.attributes & CODEC_MASK];
      if (codec === undefined) throw new InflateError("damaged", `there is no codec ${head.attributes & CODEC_MASK}`);
      const packed = batch.subarray(HEADER_BYTES);
      const unpacked = codec === "none" ? packed : await inflate(codec, packed, MAX_INFLATED_BYTES);
      if (codec !== "none") inflatedBytes += unpacked.length;
      if (!readRecords(unpacked, head, from, records)) break;
    } catch (error) {
      const next = records.length > before ? Number(records.at(-1)!.offset) + 1 : from;
      if (next <= head.lastOffset) records.push(unreadable(head, next, error));
      continue;
    }
    if (records.at(-1)?.offset !== String(head.lastOffset)) records.push({ ...blank(head), isControlRecord: true });
  }
  return records;
}

interface Head {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly attributes: number;
  readonly firstTimestampMs: bigint;
  readonly maxTimestampMs: bigint;
  readonly count: number;
  readonly batchContext: BatchContext;
}

function readHead(batch: Buffer): Head {
  const firstOffset = Number(batch.readBigInt64BE(0));
  const attributes = batch.readInt16BE(21);
  return {
    firstOffset,
    lastOffset: firstOffset + batch.readInt32BE(23),
    attributes,
    firstTimestampMs: batch.readBigInt64BE(27),
    maxTimestampMs: batch.readBigInt64BE(35),
    count: batch.readInt32BE(57),
    batchContext: {
      partitionLeaderEpoch: batch.readInt32BE(LENGTH_ENDS_AT),
      producerId: batch.readBigInt64BE(43).toString(),
      inTransaction: (attributes & TRANSACTIONAL) !== 0,
    },
  };
}

/** One message, or a compressed wrapper, which has the offset of its last. */
function headOfOldMessage(message: Buffer): Head {
  const offset = Number(message.readBigInt64BE(0));
  return {
    firstOffset: offset,
    lastOffset: offset,
    attributes: 0,
    firstTimestampMs: -1n,
    maxTimestampMs: -1n,
    count: 1,
    batchContext: { partitionLeaderEpoch: -1, producerId: "-1", inTransaction: false },
  };
}

/** @returns whether all were read; not when there are enough @throws when they are not what they should be */
function readRecords(bytes: Buffer, head: Head, from: number, records: FetchedRecord[]): boolean {
  const { firstOffset, attributes, firstTimestampMs, maxTimestampMs, count, batchContext } = head;
  const appendTime = (attributes & LOG_APPEND_TIME) !== 0 ? maxTimestampMs.toString() : undefined;
  const isControlRecord = (attributes & CONTROL) !== 0;
  const firstMs = Number(firstTimestampMs);
  const reader = new WireReader(bytes);
  for (let n = 0; n < count; n++) {
    if (records.length >= ENOUGH_RECORDS) return false;
    const end = reader.varint() + reader.at;
    reader.skip(1);
    const sinceFirstMs = reader.varlong();
    const offset = firstOffset + reader.varint();
    if (offset < from) {
      reader.seek(end);
      continue;
    }
    const ms = firstMs + Number(sinceFirstMs);
    const timestamp =
      appendTime ?? (Number.isSafeInteger(ms) ? ms : firstTimestampMs + BigInt(sinceFirstMs)).toString();
    const key = reader.varBytes();
    const value = reader.varBytes();
    records.push({
      magicByte: MAGIC,
      attributes: 0,
      offset: String(offset),
      timestamp,
      key,
      value,
      headers: readHeaders(reader),
      isControlRecord,
      batchContext,
    });
    reader.seek(end);
  }
  return true;
}

/** Without a prototype: a header may be called `constructor`. */
function readHeaders(reader: WireReader): FetchedRecord["headers"] {
  const headers = Object.create(null) as FetchedRecord["headers"];
  for (let left = reader.varint(); left > 0; left--) {
    const name = reader.varBytes()?.toString() ?? "";
    const value = reader.varBytes() ?? undefined;
    const known = headers[name];
    if (!(name in headers)) headers[name] = value;
    else if (Array.isArray(known)) known.push(value);
    else headers[name] = [known, value];
  }
  return headers;
}

const blank = ({ lastOffset, maxTimestampMs, batchContext }: Head) => ({
  magicByte: MAGIC,
  attributes: 0,
  offset: String(lastOffset),
  timestamp: maxTimestampMs.toString(),
  key: null,
  value: null,
  headers: {},
  batchContext,
});

function unreadable(head: Head, firstOffset: number, error: unknown): FetchedRecord {
  const kind = error instanceof InflateError ? error.kind : "damaged";
  const codec = CODECS[head.attributes & CODEC_MASK] ?? "no known";
  const what =
    head.lastOffset === firstOffset
      ? "the record"
      : `the batch of ${head.lastOffset - firstOffset + 1} records, to offset ${head.lastOffset},`;
  const message = `${what} was not unpacked (${codec === "none" ? "no compression" : codec}): ${error instanceof Error ? error.message : String(error)}`;
  return {
    ...blank(head),
    isControlRecord: false,
    [UNREADABLE]: { firstOffset: BigInt(firstOffset), lastOffset: BigInt(head.lastOffset), kind, message },
  };
}
