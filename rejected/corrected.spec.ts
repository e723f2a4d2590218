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

  it("changes nothing but JSON objects", () => {
    for (const value of [null, Buffer.from("hello"), Buffer.from("[1]"), Buffer.from([0x0a, 0x01, 0x41])])
      expect(() => corrected(value, [["a", 1]])).toThrow();
    expect(() => corrected(Buffer.from('{"a":1,"b":{"c":1,"c":2}}'), [["a", 1]])).toThrow("b.c stands twice");
    expect(() => change({ a: "text" }, ["a.b", 1])).toThrow(TypeError);
  });
});
