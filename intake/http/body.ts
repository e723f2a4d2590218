import { IntakeReason } from "../../protos/gen/fraud/v1/intake.js";
import { eachInTurn } from "../../statefun/turns.js";
import { notJson, readJson } from "../admission.js";
import { RefusedError } from "../problem.js";

/** Of one request. */
export const MAX_ITEMS = 1_000;
export const MAX_BODY_BYTES = 1024 * 1024;
/**
 * The limit of one input's JSON, which may be longer than its record: even with every character escaped, the longest
 * fields allowed take a third of it. A longer input is refused unread, so that none takes long.
 */
export const MAX_ITEM_BYTES = 32 * 1024;

/** For people to read: {@link formatOf} takes more. */
export const NDJSON_TYPES = ["application/x-ndjson", "application/ndjson", "application/jsonl"];

/** One input of a request: parsed JSON, or why it could not be parsed. */
export type BodyItem = { readonly json: unknown } | { readonly refused: RefusedError };

/** What was made of a request's inputs: a single one, or many that are answered one by one. */
export interface Inputs<T> {
  readonly many: boolean;
  readonly results: readonly T[];
}

/** There are more inputs than a request may have. */
export class TooManyItemsError extends Error {
  override readonly name = "TooManyItemsError";
}

/**
 * Reads a request's body, one input after the other, in as many turns of the event loop as it takes. Inputs are counted
 * before the first is parsed, and none is kept: a small body can become a hundred times as large when parsed.
 *
 * @param lines - whether each line is an input
 * @param take - turns each into a result; the results count only when this resolves
 * @returns rejects with a {@link RefusedError} when it is not JSON as a whole, or holds nothing, and with a
 *   {@link TooManyItemsError}
 */
export async function readBody<T>(bytes: Buffer, lines: boolean, take: (item: BodyItem) => T): Promise<Inputs<T>> {
  const pieces = lines ? splitLines(bytes) : splitArray(bytes);
  if (pieces === undefined) return { many: false, results: [take(itemOf(bytes, false))] };
  if (pieces.length === 0) throw new RefusedError(IntakeReason.EMPTY, "the request holds nothing");
  const results: T[] = [];
  await eachInTurn(pieces, (piece) => {
    const item = itemOf(piece, !lines);
    // When part of an array is not JSON, none of it can be trusted; lines are independent of each other.
    if (!lines && "refused" in item && isUnreadable(item.refused)) throw within(item.refused, results.length);
    results.push(take(item));
  });
  return { many: true, results };
}

function itemOf(written: Buffer, within: boolean): BodyItem {
  const bytes = withoutSpace(written);
  if (bytes.length > MAX_ITEM_BYTES)
    return {
      refused: new RefusedError(
        IntakeReason.TOO_LARGE,
        `the JSON of one input has ${bytes.length} bytes, of ${MAX_ITEM_BYTES} at most`,
      ),
    };
  try {
    return { json: readJson(bytes, within) };
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return { refused: error };
  }
}

// One that is too large is not read: whether it is JSON is not known.
const isUnreadable = ({ reason }: RefusedError): boolean =>
  reason === IntakeReason.UNREADABLE || reason === IntakeReason.ENCODING || reason === IntakeReason.TOO_LARGE;

const within = ({ reason, message }: RefusedError, at: number): RefusedError =>
  new RefusedError(reason, `${message}; in place ${at} of the array, from 0`);

const [TAB, NEWLINE, RETURN, SPACE] = [0x09, 0x0a, 0x0d, 0x20];
const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const BOM = Buffer.of(0xef, 0xbb, 0xbf);

/** Adds a piece. @throws {TooManyItemsError} */
function add(pieces: Buffer[], piece: Buffer): void {
  if (pieces.length === MAX_ITEMS) throw new TooManyItemsError(`the request holds more than ${MAX_ITEMS} inputs`);
  pieces.push(piece);
}

/**
 * The lines, as bytes and not as text: one that is not UTF-8 must not spoil the others. Blank lines do not count.
 *
 * @throws {TooManyItemsError}
 */
function splitLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  let blank = true;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === NEWLINE) {
      if (!blank) add(lines, bytes.subarray(start, at));
      start = at + 1;
      blank = true;
    } else if (byte !== SPACE && byte !== TAB && byte !== RETURN) blank = false;
  }
  if (!blank) add(lines, bytes.subarray(start));
  return lines;
}

/**
 * The values of an array, as they are written: the array is JSON exactly when each of them is.
 *
 * @returns `undefined` when the body is not an array
 * @throws {RefusedError} when it has no end, or something after it
 * @throws {TooManyItemsError}
 */
function splitArray(bytes: Buffer): Buffer[] | undefined {
  let at = skipSpace(bytes, bytes.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0);
  if (bytes[at] !== OPEN_ARRAY) return undefined;
  const values: Buffer[] = [];
  let start = ++at;
  for (let depth = 1; at < bytes.length; at++) {
    switch (bytes[at]) {
      case QUOTE:
        for (at++; at < bytes.length && bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++;
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        depth++;
        break;
      case CLOSE_OBJECT:
        depth--;
        if (depth === 0) throw notJson("an array ends like an object");
        break;
      case CLOSE_ARRAY:
        depth--;
        if (depth > 0) break;
        if (skipSpace(bytes, at + 1) < bytes.length) throw notJson("something follows after the array's end");
        if (values.length > 0 || skipSpace(bytes, start) < at) add(values, bytes.subarray(start, at));
        return values;
      case COMMA:
        if (depth > 1) break;
        add(values, bytes.subarray(start, at));
        start = at + 1;
        break;
      default:
        break;
    }
  }
  throw notJson("the array has no end");
}

function withoutSpace(bytes: Buffer): Buffer {
  const start = skipSpace(bytes, 0);
  let end = bytes.length;
  while (end > start && isSpace(bytes[end - 1])) end--;
  return bytes.subarray(start, end);
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (isSpace(bytes[at])) at++;
  return at;
}

const isSpace = (byte: number | undefined): boolean =>
  byte === SPACE || byte === TAB || byte === NEWLINE || byte === RETURN;
