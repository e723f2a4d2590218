import { describe, expect, it } from "vitest";

import { corrected } from "./corrected.js";

const change = (json: unknown, ...changes: (readonly [string, unknown])[]): unknown =>
  JSON.parse(corrected(Buffer.from(JSON.stringify(json)), changes).toString());

describe("corrected", () => {
  it("sets, adds and takes out fields, nested ones too", () => {
    expect(change({ a: 1, b: 2, c: { d: 3 } }, ["a", 9], ["b", null], ["c.e", "x"], ["f.g", true])).toEqual({
      a: 9,
      c: { d: 3, e: "x" },
      f: { g: true },
    });
  });

  it("takes any name for a field's, and reaches no object but the record", () => {
    const json = (path: string): string => corrected(Buffer.from('{"a":1}'), [[path, 2]]).toString();
    expect(json("__proto__")).toBe('{"a":1,"__proto__":2}');
    expect(json("__proto__.a")).toBe('{"a":1,"__proto__":{"a":2}}');
    expect(json("constructor.prototype.b")).toBe('{"a":1,"constructor":{"prototype":{"b":2}}}');
    expect(Object.hasOwn(Object.prototype, "a") || Object.hasOwn(Object.prototype, "b")).toBe(false);
  });

  it("changes nothing but JSON objects", () => {
    for (const value of [null, Buffer.from("hello"), Buffer.from("[1]"), Buffer.from([0x0a, 0x01, 0x41])])
      expect(() => corrected(value, [["a", 1]])).toThrow();
    expect(() => corrected(Buffer.from('{"a":1,"b":{"c":1,"c":2}}'), [["a", 1]])).toThrow("b.c stands twice");
    expect(() => change({ a: "text" }, ["a.b", 1])).toThrow(TypeError);
  });
});
