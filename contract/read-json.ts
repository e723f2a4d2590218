import { type KeyPath, repeatedKeys } from "./repeated-keys.js";

const utf8 = new TextDecoder("utf-8", { fatal: true });
const utf8Within = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** JSON as `JSON.parse` has it, and what it does not say. */
export interface ParsedJson {
  readonly json: unknown;
  /** Keys that an object has twice: of each item of an array, the first. */
  readonly repeated: readonly KeyPath[];
}

/**
 * @param within - whether they are a piece of a larger text, in which no byte order mark may stand
 * @throws TypeError when the bytes are not UTF-8
 */
export const utf8Text = (bytes: Uint8Array, within = false): string => (within ? utf8Within : utf8).decode(bytes);

/** @throws SyntaxError when the text is not JSON */
export function parsedJson(text: string): ParsedJson {
  const json: unknown = JSON.parse(text);
  return { json, repeated: repeatedKeys(text, json) };
}

/** A key that stands twice, as its sender is told. `field`: its path, cut where it is long. */
export function repetitionText(path: KeyPath): { readonly field: string; readonly message: string } {
  const field = path.join(".").slice(0, 64);
  return { field, message: `${field} stands twice: it must be said which value holds` };
}

/** Why text is not JSON, cut where it is long. */
export const jsonErrorText = (error: unknown): string => (error instanceof Error ? error.message.slice(0, 200) : "");
