import { pathToFileURL } from "node:url";

import { UserError } from "../terminal/user-error.js";

/*
 * People clone into folders of any name. This is how such a name is written where something other than the file system
 * reads it; every file and option with a path of this machine goes through here.
 */

/**
 * A file as a URI that Java takes too: its parser is stricter than browsers are, and wants `[` and the like escaped.
 *
 * @param path - absolute
 */
export const fileUri = (path: string): string =>
  pathToFileURL(path).href.replace(/[^\w\-.~/:%]/g, (character) => encodeURIComponent(character));

/**
 * A Java properties file, in ASCII: Java reads one from a stream as ISO 8859-1, so characters beyond that are escaped,
 * as are those with a special meaning.
 */
export const properties = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(
      ([key, value]) => `${escaped(key).replace(/[ :=#!]/g, "\\$&")}=${escaped(String(value)).replace(/^ /, "\\ ")}\n`,
    )
    .join("");

const NAMED: Readonly<Record<string, string>> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\f": "\\f" };

/** In UTF-16 units, as in Java. */
const escaped = (text: string): string =>
  text.replace(/[^ -[\]-~]/g, (unit) => NAMED[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** What no escaping can solve: where it stands, what misreads it, and how. */
const UNUSABLE: readonly { readonly found: RegExp; readonly why: string }[] = [
  { found: /:/, why: 'it has a ":", where Java\'s class path ends one path and begins the next' },
  { found: /,/, why: 'it has a ",", where Kafka ends one folder and begins the next' },
  { found: /!\//, why: 'a name in it ends with "!", where Java takes a jar to end' },
  { found: /\{[^{}]*\.\.\.[^{}]*\}/, why: 'it has a "{…...…}", which MinIO takes for many folders' },
  // eslint-disable-next-line no-control-regex -- these are what it looks for
  { found: /[\u0000-\u001f\u007f]/, why: "it has a line break or another control character" },
];

/**
 * Makes sure that a folder can be given to every part.
 *
 * @param what - completes "the folder … of"
 * @param cure - how to have another one
 * @throws {UserError} that says what in its path is not possible
 */
export function requireUsable(path: string, what: string, cure: string): void {
  const reason = UNUSABLE.find(({ found }) => found.test(`${path}/`));
  if (reason !== undefined)
    throw new UserError(`the folder ${JSON.stringify(path)} of ${what} can't be used: ${reason.why}. ${cure}`);
}
