import type { Difference } from "./types.js";

/** The fields in which two messages differ, by their path. */
export function differences(name: string, found: object | undefined, expected: object): Difference[] {
  const [a, b] = [fieldsOf(name, found), fieldsOf(name, expected)];
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((field) => a.get(field) !== b.get(field))
    .map((field) => ({ field, found: a.get(field) ?? null, expected: b.get(field) ?? null }));
}

/** A message's scalar fields by their path. What is absent is not among them. */
function fieldsOf(path: string, value: unknown, into = new Map<string, string>()): Map<string, string> {
  if (value === undefined) return into;
  if (value instanceof Uint8Array) into.set(path, Buffer.from(value).toString("hex"));
  else if (Array.isArray(value)) value.forEach((item, n) => void fieldsOf(`${path}[${n}]`, item, into));
  else if (typeof value === "object" && value !== null)
    for (const [key, item] of Object.entries(value)) fieldsOf(`${path}.${key}`, item, into);
  else
    into.set(
      path,
      typeof value === "string" ? value : typeof value === "bigint" ? value.toString() : JSON.stringify(value),
    );
  return into;
}
