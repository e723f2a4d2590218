import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { unseen } from "./unseen.js";

const byItself = (n: number): number => n;

describe("what the stream brings beside what a page was loaded with", () => {
  it("is taken once, wherever the two overlap", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1 })), fc.nat(), fc.nat(), (numbers, loaded, from) => {
        const all = numbers.toSorted((a, b) => a - b);
        const held = all.slice(0, loaded);
        // The stream goes on from where the page was read, or a little before.
        const came = all.slice(Math.min(from, held.length));
        expect([...held, ...unseen(held.at(-1), came, byItself)]).toEqual(all);
      }),
    );
  });
});
