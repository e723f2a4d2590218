import { repeatedKeys } from "../contract/repeated-keys.js";

/**
 * A JSON record with some fields changed; `null` takes one out.
 *
 * @param changes - each a field's path, such as `location.name`, and its new value
 * @throws SyntaxError or TypeError when the record is not a JSON object, or names a field twice: which value was meant
 *   is not known here
 */
export function corrected(
  value: Uint8Array | null,
  changes: readonly (readonly [path: string, value: unknown])[],
): Buffer {
  if (value === null) throw new TypeError("a tombstone");
  const text = new TextDecoder().decode(value);
  const root = asObject(JSON.parse(text));
  const [repeated] = repeatedKeys(text, root);
  if (repeated !== undefined) throw new TypeError(`${repeated.join(".")} stands twice`);
  for (const [path, next] of changes) {
    const names = path.split(".");
    const last = names.pop()!;
    let at = root;
    for (const name of names) {
      if (!Object.hasOwn(at, name)) put(at, name, {});
      at = asObject(at[name]);
    }
    if (next === null) delete at[last];
    else put(at, last, next);
  }
  return Buffer.from(JSON.stringify(root));
}

/** Any name is a field's, `__proto__` too. */
function put(object: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, configurable: true, enumerable: true, writable: true });
}

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new TypeError("no object");
  return value as Record<string, unknown>;
}
