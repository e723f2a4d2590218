/** A key's way from the outside in: names of members, and indices of arrays from 0. */
export type KeyPath = readonly (string | number)[];

interface Level {
  /** Of an object: the keys that it has had. */
  readonly keys: Set<string> | undefined;
  /** Where in it: a key, or an index of an array. */
  at: string | number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Finds keys that an object has twice, however they are escaped. RFC 8259 leaves open which of the values holds, so two
 * readers of the same bytes may see two amounts; `JSON.parse` takes the last and says nothing.
 *
 * @param json - what `JSON.parse` makes of `text`
 * @returns of each item of an outermost array the first such key, of anything else the first
 */
export function repeatedKeys(text: string, json: unknown): KeyPath[] {
  // Nearly always none stands twice, and counting costs half of looking.
  return writtenMembers(text) === parsedMembers(json) ? [] : find(text);
}

/** In JSON a colon outside of strings stands in every member, and nowhere else. */
function writtenMembers(text: string): number {
  let members = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = closingQuote(text, at);
    else if (code === COLON) members++;
  }
  return members;
}

function parsedMembers(json: unknown): number {
  let members = 0;
  // No recursion: a body may be nested deeper than the stack is.
  const open: object[] = typeof json === "object" && json !== null ? [json] : [];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    const values: unknown[] = Array.isArray(value) ? value : Object.values(value);
    if (!Array.isArray(value)) members += values.length;
    for (const one of values) if (typeof one === "object" && one !== null) open.push(one);
  }
  return members;
}

function find(text: string): KeyPath[] {
  const found: KeyPath[] = [];
  const levels: Level[] = [];
  let level: Level | undefined;
  let told: string | number | undefined;
  let begin = 0;
  let end = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        begin = at;
        at = end = closingQuote(text, at);
        break;
      case COLON: {
        if (level?.keys === undefined) break;
        const raw = text.slice(begin + 1, end);
        const key = raw.includes("\\") ? (JSON.parse(`"${raw}"`) as string) : raw;
        level.at = key;
        if (!level.keys.has(key)) level.keys.add(key);
        else if (told === undefined || (levels[0]!.keys === undefined && told !== levels[0]!.at)) {
          told = levels[0]!.at;
          found.push(levels.map((one) => one.at));
        }
        break;
      }
      case COMMA:
        if (level !== undefined && level.keys === undefined) level.at = (level.at as number) + 1;
        break;
      case OPEN_OBJECT:
        levels.push((level = { keys: new Set(), at: "" }));
        break;
      case OPEN_ARRAY:
        levels.push((level = { keys: undefined, at: 0 }));
        break;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        levels.pop();
        level = levels.at(-1);
        break;
    }
  }
  return found;
}

function closingQuote(text: string, opening: number): number {
  let at = opening + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
}
