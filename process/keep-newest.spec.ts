import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { keepNewest } from "./keep-newest.js";

describe("a map of the newest", () => {
  it("forgets the oldest beyond its bound; one that is set again keeps its age", () => {
    const entries = new Map<string, number>();
    for (const [n, key] of ["a", "b", "a", "c", "d"].entries()) {
      entries.set(key, n);
      keepNewest(entries, 2);
    }
    expect([...entries]).toEqual([
      ["c", 3],
      ["d", 4],
    ]);
  });

  it("keeps what was set last, whatever was deleted, set again or cleared between", () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ kind: fc.constantFrom("touch" as const, "set" as const), key: fc.nat(20) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant("delete" as const), key: fc.nat(20) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear" as const), key: fc.constant(0) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.nat(8), (steps, limit) => {
        const entries = new Map<number, string>();
        let expected: number[] = [];
        for (const { kind, key } of steps) {
          if (kind === "clear") {
            entries.clear();
            expected = [];
            continue;
          }
          if (kind !== "set" || !expected.includes(key)) expected = expected.filter((one) => one !== key);
          if (kind !== "set") entries.delete(key);
          if (kind === "delete") continue;
          entries.set(key, "");
          if (!expected.includes(key)) expected.push(key);
          keepNewest(entries, limit);
          expected = expected.slice(-limit || expected.length);
          expect([...entries.keys()]).toEqual(expected);
        }
      }),
    );
  });

  it("says what it has forgotten", () => {
    const entries = new Map([["a", 1]]);
    expect(keepNewest(entries, 1)).toBeUndefined();
    entries.set("b", 2);
    expect(keepNewest(entries, 1)).toBe(1);
  });
});
