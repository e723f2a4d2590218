// Control and format characters (escapes of a terminal, those that change direction, those that take no room), halves
// of pairs, line separators, and letters and marks that are drawn as nothing. A tab does no harm.
const UNSEEN = /(?!\t)[\p{C}\p{Default_Ignorable_Code_Point}\u2028\u2029\u2800]/gu;
const UNSEEN_BUT_BREAKS = /(?![\t\n])[\p{C}\p{Default_Ignorable_Code_Point}\u2028\u2029\u2800]/gu;

const escape = (one: string): string => `\\u{${one.codePointAt(0)!.toString(16)}}`;
const jsonEscape = (one: string): string =>
  Array.from({ length: one.length }, (_, n) => `\\u${one.charCodeAt(n).toString(16).padStart(4, "0")}`).join("");

/**
 * Text of strangers on one line for a terminal: what does not show in it is written out, such as `\u{1b}`. Otherwise a
 * name could clear the screen, or look like another.
 */
export const visible = (text: string): string => text.replace(UNSEEN, escape);

/** As {@link visible}, for text of several lines. */
export const visibleLines = (text: string): string => text.replace(UNSEEN_BUT_BREAKS, escape);

/** All strings of a value, made {@link visible}. */
export function visibleAll<T>(value: T): T {
  if (typeof value === "string") return visible(value) as T;
  if (Array.isArray(value)) return value.map(visibleAll) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, visibleAll<unknown>(one)])) as T;
}

/** JSON for a terminal: the same value, in which what does not show is escaped as JSON has it. */
export const visibleJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, undefined, indent).replace(UNSEEN_BUT_BREAKS, jsonEscape);
