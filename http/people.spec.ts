import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { peopleList, personWith } from "./people.js";

const TOKEN = "a-long-enough-token";
const read = (text: string) => peopleList.parse(text);

describe("peopleList", () => {
  it("reads names and tokens, whatever a token holds", () => {
    expect(read(` Ada Lovelace : ${TOKEN} ,, J\u00f6rg:with:colons=and/more==`)).toEqual([
      { name: "Ada Lovelace", token: TOKEN },
      { name: "J\u00f6rg", token: "with:colons=and/more==" },
    ]);
    expect(read("  ")).toEqual([]);
  });

  it.each([
    [TOKEN, /entry 1 has no colon; write NAME:TOKEN, NAME:TOKEN/],
    [`:${TOKEN}`, /has no name/],
    [`${"a".repeat(257)}:${TOKEN}`, /has no name of 1 to 256 bytes/],
    [`a\u0007b:${TOKEN}`, /without control characters/],
    ["ada:short", /\(ada\) needs a token of at least 16 characters/],
    ["ada:a token with spaces", /without spaces/],
    [`ada:${TOKEN},ada:${TOKEN}2`, /entry 2 names ada a second time/],
    [`ada:${TOKEN},grace:${TOKEN}`, /\(grace\) has the token of another person/],
  ])("refuses %j", (text, why) => {
    expect(() => read(text)).toThrow(why);
  });

  it("shows no token in what it refuses", () => {
    for (const text of [TOKEN, `ada:${TOKEN},grace:${TOKEN}`, `ada:${TOKEN} x`])
      expect(() => read(text)).toThrow(expect.not.stringContaining(TOKEN) as string);
  });
});

describe("personWith", () => {
  it("finds the one whose token it is, and nobody by any other text", () => {
    const token = fc.stringMatching(/^[!-+\--~]{16,40}$/);
    fc.assert(
      fc.property(fc.uniqueArray(token, { minLength: 1, maxLength: 5 }), fc.string(), (tokens, other) => {
        const people = tokens.map((one, at) => ({ name: `person ${at}`, token: one }));
        for (const person of people) expect(personWith(person.token, people)).toBe(person);
        fc.pre(!tokens.includes(other));
        expect(personWith(other, people)).toBeUndefined();
      }),
    );
  });
});
