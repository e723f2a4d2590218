import { describe, expect, it } from "vitest";

import { sizesOf } from "./state-sizes.js";

describe("state sizes", () => {
  it("are the least that so many do not exceed", () => {
    const hundred = Array.from({ length: 100 }, (_, n) => n + 1);
    expect(sizesOf(hundred)).toEqual({ addresses: 100, p50: 50, p99: 99, max: 100, all: 5_050 });
    expect(sizesOf([7])).toEqual({ addresses: 1, p50: 7, p99: 7, max: 7, all: 7 });
  });
});
