import { describe, expect, it } from "vitest";

import { scrollTo, visibleRows } from "./virtual-rows.js";

const list = { viewport: 600, rowHeight: 60, count: 10_000 };

describe("visibleRows", () => {
  it("draws what one sees and a little more, wherever one is in the list", () => {
    for (const scrollTop of [0, 1, 59, 60, 5_000, 599_400, 1e9]) {
      const { first, end } = visibleRows({ ...list, scrollTop });
      expect(end - first).toBeLessThanOrEqual(28);
      const seen = Math.min(Math.floor(scrollTop / 60), list.count);
      expect(first).toBeLessThanOrEqual(seen);
      expect(end).toBeGreaterThanOrEqual(Math.min(list.count, seen + 10));
    }
  });

  it("draws all of a short list", () => {
    expect(visibleRows({ ...list, count: 3, scrollTop: 0 })).toEqual({ first: 0, end: 3 });
    expect(visibleRows({ ...list, count: 0, scrollTop: 0 })).toEqual({ first: 0, end: 0 });
  });
});

describe("scrollTo", () => {
  it.each([
    ["stays where the row is seen", 105, 6_200, 6_200],
    ["goes up to it", 100, 6_100, 6_000],
    ["goes down to it", 120, 6_000, 6_660],
  ])("%s", (_, row, scrollTop, expected) => {
    expect(scrollTo({ row, scrollTop, viewport: 600, rowHeight: 60 })).toBe(expected);
  });
});
