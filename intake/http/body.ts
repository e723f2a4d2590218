import { IntakeReason } from "../../protos/gen/fraud/v1/intake.js";
import { parseJson, readJson, repetition } from "../admission.js";
import { RefusedError } from "../problem.js";

/** Of one request. */
export const MAX_ITEMS = 1_000;
export const MAX_BODY_BYTES = 1024 * 1024;

/** For people: {@link formatOf} takes more. */
export const NDJSON_TYPES = ["application/x-ndjson", "application/ndjson", "application/jsonl"];

/** One input of a request: parsed JSON, or why it could not be parsed. */
export type BodyItem = { readonly json: unknown } | { readonly refused: RefusedError };

/** What a request brought: one input, or many that are answered one by one. */
export type Body =
  { readonly many: false; readonly item: BodyItem } | { readonly many: true; readonly items: readonly BodyItem[] };

/** There are more inputs than a request may have. */
export class TooManyItemsError extends Error {
  override readonly name = "TooManyItemsError";
}

/**
 * Reads a request's body.
 *
 * @throws {RefusedError} when it is not JSON as a whole, or holds nothing
 * @throws {TooManyItemsError}
 */
export function readBody(bytes: Buffer, lines: boolean): Body {
  if (lines) {
    const items = splitLines(bytes).map(item);
    return { many: true, items: counted(items) };
  }
  const { json, repeated } = parseJson(bytes);
  if (!Array.isArray(json))
    return { many: false, item: repeated[0] === undefined ? { json } : { refused: repetition(repeated[0]) } };
  const refused = new Map(repeated.map(([at, ...path]) => [at, repetition(path)]));
  return {
    many: true,
    items: counted(
      json.map((one: unknown, at): BodyItem => (refused.has(at) ? { refused: refused.get(at)! } : { json: one })),
    ),
  };
}

function item(line: Buffer): BodyItem {
  try {
    return { json: readJson(line) };
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return { refused: error };
  }
}

function counted(items: readonly BodyItem[]): readonly BodyItem[] {
  if (items.length === 0) throw new RefusedError(IntakeReason.EMPTY, "the request holds nothing");
  if (items.length > MAX_ITEMS)
    throw new TooManyItemsError(`the request holds ${items.length} inputs, of ${MAX_ITEMS} at most`);
  return items;
}

const NEWLINE = 10;

/** Of bytes, not of text: a line that is not UTF-8 must not spoil the others. Blank lines do not count. */
function splitLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(NEWLINE, start);
    const line = bytes.subarray(start, end === -1 ? bytes.length : end);
    if (!/^[ \t\r]*$/.test(line.toString("latin1"))) lines.push(line);
    if (end === -1) break;
    start = end + 1;
  }
  return lines;
}
