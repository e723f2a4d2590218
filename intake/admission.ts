import { contentHash } from "../contract/content-hash.js";
import { originName } from "../contract/origin-name.js";
import { jsonErrorText, parsedJson, type ParsedJson, repetitionText, utf8Text } from "../contract/read-json.js";
import type { KeyPath } from "../contract/repeated-keys.js";
import { IntakeReason } from "../protos/gen/fraud/v1/intake.js";
import { FraudLabel, type Origin, Transaction } from "../protos/gen/fraud/v1/transaction.js";
import { labelFromJson, transactionFromJson } from "./json-input.js";
import { formatOf, mediaType } from "./media-type.js";
import { type Stamps, UNSTAMPED } from "./models-in-force.js";
import { RefusedError } from "./problem.js";
import { labelFromProtobuf, transactionFromProtobuf } from "./protobuf-input.js";
import { checkLabel, checkTransaction, type Clock } from "./rules.js";

/** What may enter. */
export type InputKind = "transaction" | "label";

/** An input that is ready for a `*.valid` topic. */
export interface Admitted {
  /** The record's key: it keeps an account's records in order. */
  readonly accountId: string;
  /** The id of the transaction or label. */
  readonly id: string;
  readonly value: Buffer;
  /** Empty for a label. */
  readonly contentHash: Uint8Array;
}

/**
 * Where an input came from: a record's position; or what to call it when it has no id, and who labels, when that is
 * known.
 */
export type Source =
  { readonly origin: Origin } | { readonly newId: () => string; readonly labelsAs?: string | undefined };

/**
 * The limit of one encoded record. The rules keep known fields far below it; the rest is for fields that this version
 * does not know.
 */
const MAX_INPUT_BYTES = 8 * 1024;

/**
 * Makes a Transaction or FraudLabel for `*.valid` from an input. It depends on its arguments alone: a record that is
 * read again comes out the same.
 *
 * @param contentType - from a record's header or an HTTP request; `undefined`: recognised from the content
 * @param stamps - of a transaction. Default: none
 * @throws {RefusedError} when the input is refused
 */
export function admit(
  kind: InputKind,
  bytes: Uint8Array,
  contentType: string | undefined,
  source: Source,
  clock: Clock,
  stamps = UNSTAMPED,
): Admitted {
  if (bytes.length === 0) throw new RefusedError(IntakeReason.EMPTY, "the record has no content");
  if (bytes.length > MAX_INPUT_BYTES)
    throw new RefusedError(
      IntakeReason.TOO_LARGE,
      `the record has ${bytes.length} bytes, of ${MAX_INPUT_BYTES} at most`,
    );
  if (readAs(bytes, contentType) === "json") return admitJson(kind, readJson(bytes), source, clock, stamps);
  return kind === "transaction"
    ? finishTransaction(transactionFromProtobuf(bytes), source, clock, stamps)
    : finishLabel(labelFromProtobuf(bytes), source, clock);
}

/** Like {@link admit}, for JSON that is already parsed. @throws {RefusedError} */
export function admitJson(kind: InputKind, json: unknown, source: Source, clock: Clock, stamps = UNSTAMPED): Admitted {
  return kind === "transaction"
    ? finishTransaction(transactionFromJson(json), source, clock, stamps)
    : finishLabel(labelFromJson(json), source, clock);
}

function finishTransaction(read: Transaction, source: Source, clock: Clock, stamps: Stamps): Admitted {
  const transaction: Transaction = {
    ...read,
    transactionId: read.transactionId || nameOf(source),
    origin: originOf(source),
    contentHash: Buffer.alloc(0),
    modelHash: stamps.modelHash,
    challengerHash: stamps.challengerHash,
  };
  checkTransaction(transaction, clock);
  transaction.contentHash = contentHash(transaction);
  return {
    accountId: transaction.accountId,
    id: transaction.transactionId,
    value: Buffer.from(Transaction.encode(transaction).finish()),
    contentHash: transaction.contentHash,
  };
}

function finishLabel(read: FraudLabel, source: Source, clock: Clock): Admitted {
  const label: FraudLabel = {
    ...read,
    labelId: read.labelId || nameOf(source),
    origin: originOf(source),
    analyst: analystOf(read, source),
  };
  checkLabel(label, clock);
  return {
    accountId: label.accountId,
    id: label.labelId,
    value: Buffer.from(FraudLabel.encode(label).finish()),
    contentHash: new Uint8Array(),
  };
}

/** @throws {RefusedError} when a client labels in another's name */
function analystOf({ analyst }: FraudLabel, source: Source): string | undefined {
  const labelsAs = "origin" in source ? undefined : source.labelsAs;
  if (labelsAs !== undefined && analyst !== undefined && analyst !== labelsAs)
    throw new RefusedError(
      IntakeReason.INVALID_VALUE,
      `this token is that of ${labelsAs}, who can't label in another name; leave the analyst out`,
      "analyst",
    );
  return labelsAs ?? analyst;
}

const originOf = (source: Source): Origin | undefined => ("origin" in source ? source.origin : undefined);
const nameOf = (source: Source): string => ("origin" in source ? originName(source.origin) : source.newId());

function readAs(bytes: Uint8Array, contentType: string | undefined): "json" | "protobuf" {
  if (contentType === undefined) return looksLikeJson(bytes) ? "json" : "protobuf";
  const format = formatOf(contentType);
  if (format === "json" || format === "protobuf") return format;
  throw new RefusedError(
    IntakeReason.CONTENT_TYPE,
    `content-type ${mediaType(contentType).slice(0, 64)} is neither application/json (or another that ends in +json) nor application/x-protobuf`,
  );
}

const BOM = [0xef, 0xbb, 0xbf];
const BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;

/**
 * From brace to brace. A protobuf message begins with byte 10, which is white space in JSON; one whose first field has
 * 123 bytes (a brace) and which ends in a brace has to name its content type.
 */
function looksLikeJson(bytes: Uint8Array): boolean {
  let first = BOM.every((byte, at) => bytes[at] === byte) ? BOM.length : 0;
  while (isSpace(bytes[first])) first++;
  let last = bytes.length - 1;
  while (isSpace(bytes[last])) last--;
  if (bytes[first] !== BRACE) return false;
  // Truncated JSON is better reported as such than as broken protobuf, unless protobuf could begin like this.
  return bytes[last] === CLOSING_BRACE || first === 0 || bytes[0] !== 0x0a;
}

/**
 * JSON in which every object names a field once.
 *
 * @param within - whether it is a piece of a larger text, where no byte order mark is allowed
 * @throws {RefusedError} when the bytes are not UTF-8, not JSON, or a key occurs twice
 */
export function readJson(bytes: Uint8Array, within = false): unknown {
  let decoded: string;
  try {
    decoded = utf8Text(bytes, within);
  } catch {
    throw new RefusedError(IntakeReason.ENCODING, "the JSON is not UTF-8");
  }
  let parsed: ParsedJson;
  try {
    parsed = parsedJson(decoded);
  } catch (cause) {
    throw notJson(jsonErrorText(cause));
  }
  const [repeated] = parsed.repeated;
  if (repeated !== undefined) throw repetition(repeated);
  return parsed.json;
}

/** The refusal of bytes that are not JSON. */
export const notJson = (why: string): RefusedError => new RefusedError(IntakeReason.UNREADABLE, `not JSON: ${why}`);

/** The refusal of a key that occurs twice. */
function repetition(path: KeyPath): RefusedError {
  const { field, message } = repetitionText(path);
  return new RefusedError(IntakeReason.DUPLICATE_FIELD, message, field);
}
