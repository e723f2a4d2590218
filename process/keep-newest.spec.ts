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
});
