import { MAX_BODY_BYTES, MAX_ITEM_BYTES } from "../body.js";

/** A body within the bounds, made to cost as much as it can, and what becomes of it. */
export interface HostileBody {
  readonly name: string;
  /** Whether each line is an input. */
  readonly lines: boolean;
  readonly bytes: Buffer;
  /** The answer's status. */
  readonly status: 202 | 400 | 413;
  /** How many inputs are read; a body that is refused unread has none. */
  readonly inputs: number;
}

const MAX = MAX_BODY_BYTES;
const filled = (piece: string, bytes = MAX): string => piece.repeat(Math.floor(bytes / Buffer.byteLength(piece)));
const array = (pieces: readonly string[]): string => `[${pieces.join(",")}]`;
const many = (length: number, piece: (n: number) => string): string[] => Array.from({ length }, (_, n) => piece(n));
/** As many of the largest inputs as there is room for. */
const LARGEST = 31;
const object = (members: (n: number) => string, bytes: number): string => {
  const parts: string[] = [];
  for (let length = 2, n = 0; ; n++) {
    const part = members(n);
    length += Buffer.byteLength(part) + 1;
    if (length > bytes) return `{${parts.join(",")}}`;
    parts.push(part);
  }
};

const json = (name: string, text: string, status: HostileBody["status"], inputs: number): HostileBody => ({
  name,
  lines: false,
  bytes: Buffer.from(text),
  status,
  inputs,
});
const lines = (name: string, text: string, status: HostileBody["status"], inputs: number): HostileBody => ({
  ...json(name, text, status, inputs),
  lines: true,
});

/** A valid input that is as long as it may be. */
const longTransaction = (n: number): string =>
  JSON.stringify({
    transactionId: `${n}-`.padEnd(128, "t"),
    accountId: `${n}-`.padEnd(128, "a"),
    merchantId: "m".repeat(128),
    amountMinor: 1,
    currency: "EUR",
    eventTimeMs: 1_700_000_000_000,
    merchantName: "n".repeat(256),
  });

/** Made anew at each call: together they are many megabytes. */
export const hostileBodies = (): HostileBody[] => [
  lines("lines of one letter", filled("x\n"), 413, 0),
  lines("blank lines", filled("\n"), 400, 0),
  lines("blank lines of spaces", filled(" \t\r\n"), 400, 0),
  lines("a thousand lines that are not JSON", many(1_000, () => "\u0001".repeat(1_000)).join("\n"), 202, 1_000),
  lines(
    "a thousand lines whose keys are control characters",
    many(1_000, () => `{${JSON.stringify("\u009b".repeat(500))}:1}`).join("\n"),
    202,
    1_000,
  ),
  lines("one line without an end", filled('{"a":'), 202, 1),
  lines("byte order marks in each line", filled("\ufeff\ufeff\n"), 413, 0),
  json("an array of numbers", `[${filled("0,", MAX - 4)}0]`, 413, 0),
  json("an array of empty arrays", array(many(300_000, () => "[]")), 413, 0),
  json("an array without an end", filled('["'), 400, 0),
  json("nested arrays", `${filled("[", MAX / 2)}${filled("]", MAX / 2)}`, 400, 0),
  json("nested objects", `${filled('{"a":', MAX - 200_000)}1${"}".repeat(174_000)}`, 400, 1),
  json("one string", JSON.stringify("s".repeat(MAX - 2)), 400, 1),
  json("one number", "9".repeat(MAX), 400, 1),
  json(
    "an object with a key again and again",
    object(() => '"a":1', MAX),
    400,
    1,
  ),
  json(
    "an object of a hundred thousand keys",
    object((n) => `"${n.toString(36)}":1`, MAX),
    400,
    1,
  ),
  json("byte order marks", filled("\ufeff"), 400, 1),
  json(
    "the largest inputs, of empty arrays",
    array(many(LARGEST, () => `[${filled("[],", MAX_ITEM_BYTES - 8)}0]`)),
    202,
    LARGEST,
  ),
  json(
    "the largest inputs, nested",
    array(many(LARGEST, () => "[".repeat(MAX_ITEM_BYTES / 2) + "]".repeat(MAX_ITEM_BYTES / 2))),
    202,
    LARGEST,
  ),
  json(
    "the largest inputs, of keys that occur again and again, escaped",
    array(many(LARGEST, () => object(() => '"\\u0061":1', MAX_ITEM_BYTES))),
    202,
    LARGEST,
  ),
  json(
    "the largest inputs, of many keys",
    array(many(LARGEST, (input) => object((n) => `"${input}_${n.toString(36)}":1`, MAX_ITEM_BYTES))),
    202,
    LARGEST,
  ),
  lines("lines of letters of two bytes", many(1_000, () => "\u00ff".repeat(500)).join("\n"), 202, 1_000),
  lines(
    "lines of numbers with very many digits",
    many(1_000, () => `{"amountMinor":${"9".repeat(1_000)}}`).join("\n"),
    202,
    1_000,
  ),
  lines("lines of exponents", many(1_000, () => `{"amountMinor":1e${"9".repeat(1_000)}}`).join("\n"), 202, 1_000),
  lines("lines of escapes", many(1_000, () => `{"accountId":"${"\\ud800".repeat(160)}"}`).join("\n"), 202, 1_000),
  lines("lines that end in carriage returns", filled("\r"), 400, 0),
  json("commas", `[${filled(",", MAX - 2)}]`, 413, 0),
  json("quotes that are escaped", `["${filled('\\"', MAX - 4)}"]`, 400, 0),
  json(
    "the largest inputs, of strings",
    array(many(LARGEST, () => `{"merchantName":"${"n".repeat(MAX_ITEM_BYTES - 30)}"}`)),
    202,
    LARGEST,
  ),
  json(
    "the largest inputs, of other characters",
    array(many(LARGEST, () => `{"merchantName":"${"\u{1f600}".repeat(8_000)}"}`)),
    202,
    LARGEST,
  ),
  json("a thousand transactions as long as they may be", array(many(1_000, longTransaction)), 202, 1_000),
];
