import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** What the counters need of a decision; the rest is read when someone looks at it. */
export interface SkimmedDecision {
  readonly accountId: string;
  readonly transactionId: string;
  readonly merchantId: string;
  readonly accountSeq: bigint;
  /** It may have been decided before. */
  readonly possibleRepeat: boolean;
  readonly amountMinor: number;
  readonly currency: string;
  /** The number of `fraud.v1.Outcome`. */
  readonly outcome: number;
  readonly score: number;
  readonly modelId: string;
  /** Hexadecimal. */
  readonly modelHash: string;
  /** The encoded `fraud.v1.Decision`, out of its Any: a piece of the record's bytes. */
  readonly payload: Uint8Array;
}

interface SkimmedTransaction extends Identity {
  readonly merchantId: string;
  readonly amountMinor: number;
  readonly currency: string;
}

/** An account and a transaction id. */
export interface Identity {
  readonly accountId: string;
  readonly transactionId: string;
}

/**
 * Reads a few fields of a record of `decisions`. A full decoding takes five times as long, and there are thousands a
 * second; the fields' numbers are those of `protos/fraud/v1/decision.proto`, and a spec compares.
 *
 * @throws Error when the bytes are not such a record
 */
export function skimDecision(record: Uint8Array): SkimmedDecision {
  const payload = field(record, 2) ?? record.subarray(0, 0);
  const evidence = field(payload, 1) ?? payload.subarray(0, 0);
  let transaction: SkimmedTransaction | undefined;
  let scoring = { outcome: 0, score: 0, modelId: "", modelHash: "" };
  let accountSeq = 0n;
  let possibleRepeat = false;
  walk(evidence, (number, wireType, reader) => {
    if (wireType !== WireType.LengthDelimited) return false;
    if (number === 1) transaction = skimTransaction(reader.bytes());
    else if (number === 2) {
      const account = reader.bytes();
      accountSeq = BigInt(varint(account, 1) ?? 0);
      possibleRepeat = Number(varint(account, 6) ?? 0) === 1;
    } else if (number === 4) scoring = skimScoring(reader.bytes());
    else return false;
    return true;
  });
  if (transaction === undefined) throw new Error("a decision without a transaction");
  return { ...transaction, ...scoring, accountSeq, possibleRepeat, payload };
}

function skimScoring(bytes: Uint8Array): Pick<SkimmedDecision, "outcome" | "score" | "modelId" | "modelHash"> {
  let [outcome, score, modelId, modelHash] = [0, 0, "", ""];
  walk(bytes, (number, wireType, reader) => {
    if (number === 2 && wireType === WireType.LengthDelimited) modelId = reader.string();
    else if (number === 3 && wireType === WireType.LengthDelimited) modelHash = hex(reader.bytes());
    else if (number === 4 && wireType === WireType.Varint) score = reader.uint32();
    else if (number === 6 && wireType === WireType.Varint) outcome = reader.uint32();
    else return false;
    return true;
  });
  return { outcome, score, modelId, modelHash };
}

/** Reads whose record of `decisions` it is. @throws Error when the bytes are not such a record */
export function skimIdentity(record: Uint8Array): Identity {
  const transaction = field(field(field(record, 2) ?? record.subarray(0, 0), 1) ?? record.subarray(0, 0), 1);
  if (transaction === undefined) throw new Error("a decision without a transaction");
  return skimTransaction(transaction);
}

/** Reads the ids and the amount of an encoded `fraud.v1.Transaction`. */
export function skimTransaction(bytes: Uint8Array): SkimmedTransaction {
  let [transactionId, accountId, merchantId, currency, amountMinor] = ["", "", "", "", 0];
  walk(bytes, (number, wireType, reader) => {
    if (number === 4 && wireType === WireType.Varint) {
      amountMinor = Number(reader.int64());
      return true;
    }
    if (wireType !== WireType.LengthDelimited) return false;
    if (number === 1) transactionId = reader.string();
    else if (number === 2) accountId = reader.string();
    else if (number === 3) merchantId = reader.string();
    else if (number === 5) currency = reader.string();
    else return false;
    return true;
  });
  return { transactionId, accountId, merchantId, amountMinor, currency };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");

/** The last value of a field of bytes. */
function field(bytes: Uint8Array, wanted: number): Uint8Array | undefined {
  let found: Uint8Array | undefined;
  walk(bytes, (number, wireType, reader) => {
    if (number !== wanted || wireType !== WireType.LengthDelimited) return false;
    found = reader.bytes();
    return true;
  });
  return found;
}

function varint(bytes: Uint8Array, wanted: number): bigint | string | undefined {
  let found: bigint | string | undefined;
  walk(bytes, (number, wireType, reader) => {
    if (number !== wanted || wireType !== WireType.Varint) return false;
    found = reader.uint64();
    return true;
  });
  return found;
}

/** @param take - reads the field's value and says true, or leaves it */
function walk(bytes: Uint8Array, take: (number: number, wireType: WireType, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (!take(number, wireType, reader)) reader.skip(wireType, number);
  }
}
