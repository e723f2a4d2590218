import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type KeyPath, repeatedKeys } from "./repeated-keys.js";

const found = (text: string): KeyPath[] => repeatedKeys(text, JSON.parse(text));

describe("repeatedKeys", () => {
  it.each([
    ['{"a":1,"a":1}', [["a"]]],
    ['{"a":1,"\\u0061":2}', [["a"]]],
    ['{"\\u0061":1,"a":2}', [["a"]]],
    ['{"a\\"":1,"a\\u0022":2}', [['a"']]],
    ['{"":1,"":2}', [[""]]],
    ['{"__proto__":1,"__proto__":2}', [["__proto__"]]],
    ['{"toString":1,"constructor":2}', []],
    ['{"a":{"b":1},"b":1}', []],
    ['{"a":{"b":[0,{"c":1,"c":2}]}}', [["a", "b", 1, "c"]]],
    ['{"a":"\\"a\\":1,","b":"{\\"a\\":1,\\"a\\":2}"}', []],
    ['{"a":":","b":"}"}', []],
    ['[{"a":1},{"a":1}]', []],
    // Of each item the first.
    [
      '[{"a":1,"a":1,"b":1,"b":1},7,{"c":{"d":1,"d":1},"c":1}]',
      [
        [0, "a"],
        [2, "c", "d"],
      ],
    ],
    ['"a"', []],
    ['{"😀":1,"\\ud83d\\ude00":1}', [["😀"]]],
    // Another normalisation is another key.
    ['{"\u00e9":1,"e\u0301":2}', []],
  ])("of %s", (text, paths) => {
    expect(found(text)).toEqual(paths);
  });

  it("finds none in what JSON.stringify writes, and the one that was put in", () => {
    const key = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.constantFrom('"', "\\", "{", "}", "[", ",", ":", "__proto__"),
    );
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: "small" },
        fc.string(),
        fc.double({ noNaN: true }),
        fc.constant(null),
        fc.array(tie("any"), { maxLength: 4 }),
        fc.dictionary(key, tie("any"), { maxKeys: 4 }),
      ),
    })).any;
    const object = fc.dictionary(key, value, { minKeys: 1, maxKeys: 5 });
    fc.assert(
      fc.property(
        fc.array(fc.oneof(key, fc.nat(3)), { maxLength: 5 }),
        object,
        fc.nat(),
        fc.boolean(),
        fc.constantFrom(undefined, 2),
        (around, inner, pick, escaped, indent) => {
          const keys = Object.keys(inner);
          const repeated = keys[pick % keys.length]!;
          const wrap = (core: string): string =>
            around.reduceRight(
              (text: string, step) =>
                typeof step === "number" ? `[${"{},".repeat(step)}${text}]` : `{${JSON.stringify(step)}:${text}}`,
              core,
            );
          const text = JSON.stringify(inner, undefined, indent);
          expect(found(wrap(text))).toEqual([]);
          // Each code unit as an escape is the same key.
          const written = escaped
            ? `"${Array.from({ length: repeated.length }, (_, at) => `\\u${repeated.charCodeAt(at).toString(16).padStart(4, "0")}`).join("")}"`
            : JSON.stringify(repeated);
          const twice = wrap(`${text.slice(0, -1)},${written} : 7}`);
          expect(found(twice)).toEqual([[...around, repeated]]);
        },
      ),
    );
  });

  it("takes what is nested as deep as a body allows, and as wide", () => {
    const deep = 250_000;
    expect(found(`${"[".repeat(deep)}{"a":1,"a":2}${"]".repeat(deep)}`)[0]).toHaveLength(deep + 1);
    expect(found(`{${'"a":1,'.repeat(170_000)}"b":1}`)).toEqual([["a"]]);
    expect(found(`{"a":"${"x".repeat(1_000_000)}","a":1}`)).toEqual([["a"]]);
  });
});
