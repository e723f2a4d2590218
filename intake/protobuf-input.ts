import { isUtf8 } from "node:buffer";

import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

import { IntakeReason } from "../protos/gen/fraud/v1/intake.js";
import { FraudLabel, Transaction } from "../protos/gen/fraud/v1/transaction.js";
import { RefusedError } from "./problem.js";

/** A known field's name in JSON, its wire type, and its own fields when it is a message. */
export interface Field {
  readonly name: string;
  readonly wireType: WireType;
  readonly text?: true;
  readonly fields?: Fields;
}
export type Fields = Readonly<Record<number, Field>>;

const text = (name: string): Field => ({ name, wireType: WireType.LengthDelimited, text: true });
const bytes = (name: string): Field => ({ name, wireType: WireType.LengthDelimited });
const message = (name: string, fields: Fields): Field => ({ ...bytes(name), fields });
const number = (name: string): Field => ({ name, wireType: WireType.Varint });
const ORIGIN: Fields = {
  1: text("topic"),
  2: number("partition"),
  3: number("offset"),
  4: bytes("topicId"),
  5: number("leaderEpoch"),
};
const LOCATION: Fields = { 1: number("latitudeE6"), 2: number("longitudeE6"), 3: text("name") };
const TRANSACTION: Fields = {
  1: text("transactionId"),
  2: text("accountId"),
  3: text("merchantId"),
  4: number("amountMinor"),
  5: text("currency"),
  6: number("eventTimeMs"),
  7: message("location", LOCATION),
  8: text("merchantName"),
  14: message("origin", ORIGIN),
  15: bytes("contentHash"),
  16: bytes("modelHash"),
  17: bytes("challengerHash"),
};
const LABEL: Fields = {
  1: text("labelId"),
  2: text("accountId"),
  3: text("transactionId"),
  4: text("merchantId"),
  5: number("eventTimeMs"),
  6: number("effectiveAtMs"),
  7: number("revision"),
  8: number("verdict"),
  9: text("note"),
  10: text("analyst"),
  14: message("origin", ORIGIN),
};

/** The fields that the walk knows; a spec compares them with the proto file. */
export const KNOWN_FIELDS = { Transaction: TRANSACTION, FraudLabel: LABEL } as const;

/** @throws {RefusedError} when the bytes are not exactly one Transaction */
export function transactionFromProtobuf(bytes: Uint8Array): Transaction {
  check(bytes, TRANSACTION, "Transaction");
  return decode(Transaction, bytes, "Transaction");
}

/** @throws {RefusedError} when the bytes are not exactly one FraudLabel */
export function labelFromProtobuf(bytes: Uint8Array): FraudLabel {
  check(bytes, LABEL, "FraudLabel");
  return decode(FraudLabel, bytes, "FraudLabel");
}

/**
 * Walks through all fields. The generated decoder is lenient where an intake must not be: it ends silently at a zero
 * byte, takes a known field of a different wire type for an unknown one, and turns bytes that are not UTF-8 into
 * replacement characters, which a client may also have sent.
 */
function check(bytes: Uint8Array, fields: Fields, message: string, path = ""): void {
  try {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag();
      if (wireType === WireType.StartGroup || wireType === WireType.EndGroup)
        throw new RangeError("it holds groups, which proto3 does not have");
      const field = fields[number];
      if (field === undefined) {
        reader.skip(wireType, number);
        continue;
      }
      const name = path + field.name;
      if (wireType !== field.wireType)
        throw new RefusedError(IntakeReason.WRONG_TYPE, `${name} is not of its type: is this a ${message}?`, name);
      if (field.fields !== undefined) check(reader.bytes(), field.fields, message, `${name}.`);
      else if (field.text !== true) reader.skip(wireType, number);
      else if (!isUtf8(reader.bytes())) throw new RefusedError(IntakeReason.ENCODING, `${name} is not UTF-8`, name);
    }
    if (reader.pos !== reader.len) throw new RangeError("the last field is cut off");
  } catch (cause) {
    if (cause instanceof RefusedError) throw cause;
    throw unreadable(message, cause);
  }
}

/** What the walk skips, such as the digits of a number, can still be wrong. */
function decode<T>(type: { decode(bytes: Uint8Array): T }, bytes: Uint8Array, message: string): T {
  try {
    return type.decode(bytes);
  } catch (cause) {
    throw unreadable(message, cause);
  }
}

const unreadable = (message: string, cause: unknown): RefusedError =>
  new RefusedError(
    IntakeReason.UNREADABLE,
    `the bytes are not a ${message}: ${cause instanceof Error ? cause.message : String(cause)}`,
  );
