import { METHODS } from "node:http";

import fc from "fast-check";

import { type Door, TOKEN } from "./doors.js";

const hex = (char: string): string => char.charCodeAt(0).toString(16).padStart(2, "0");
/** How one character of a path may be written; mostly plain, so that many paths lead where they should. */
const written = (char: string) =>
  fc.oneof(
    { weight: 40, arbitrary: fc.constant(char) },
    { weight: 3, arbitrary: fc.constant(`%${hex(char)}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        `%${hex(char).toUpperCase()}`,
        `%25${hex(char)}`,
        char.toUpperCase(),
        ...(char === "/" ? ["//", "\\", "/./", "/x/../", "/%2e/", "%5c", "/;/"] : [`%c0%${hex(char)}`, `${char};`]),
      ),
    },
  );
const BEFORE = [
  "",
  "",
  "",
  "",
  "",
  "http://{at}",
  "HTTP://{at}",
  "http://localhost",
  "http://x",
  "HTTPS://x:1",
  "http://u@x",
  "//x",
  "/.",
  "/x/..",
  "http:",
];
const AFTER = [
  "",
  "",
  "",
  "",
  "",
  "",
  "/",
  "//",
  "?",
  "?x=/healthz",
  "/.",
  "/..",
  "%20",
  "%00",
  ";x",
  "#",
  "#/healthz",
  ".json",
  "/healthz",
  `?${"x".repeat(20_000)}`,
];
const ODD = ["HEAD", ...METHODS.filter((method) => method !== "CONNECT")];
const CREDENTIALS = [undefined, "", "Bearer", `bearer${TOKEN}`, `Basic ${TOKEN}`, `Bearer ${TOKEN}x`, TOKEN];

const spelled = (path: string): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(...BEFORE), fc.tuple(...[...path].map(written)), fc.constantFrom(...AFTER))
    .map(([before, chars, after]) => before + chars.join("") + after);

/** Requests for these routes, in many spellings, without the token. */
export const knocking = (routes: Door["routes"]) =>
  fc.constantFrom(...routes).chain(({ method, path }) =>
    fc.record({
      method: fc.oneof(
        { weight: 3, arbitrary: fc.constant(method) },
        { weight: 1, arbitrary: fc.constantFrom("GET", "POST", ...ODD) },
      ),
      target: fc.oneof({ weight: 9, arbitrary: spelled(path) }, { weight: 1, arbitrary: fc.constant(path) }),
      authorization: fc.constantFrom(...CREDENTIALS),
    }),
  );
