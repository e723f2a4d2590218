import { describe, expect, it } from "vitest";

import { probabilityText, signed } from "./scoring-text.js";

describe("a probability's text", () => {
  it.each([
    [0, "under 0.01 %"],
    [99, "under 0.01 %"],
    [100, "0.01 %"],
    [9_900, "0.99 %"],
    [10_000, "1.0 %"],
    [124_200, "12.4 %"],
    [999_499, "99.9 %"],
    [999_500, "over 99.9 %"],
    [1_000_000, "over 99.9 %"],
  ])("of %i millionths is %s", (ppm, text) => expect(probabilityText(ppm)).toBe(text));
});

it("shows a number's sign", () => expect([12, -12, 0, -0].map(signed)).toEqual(["+12", "−12", "0", "0"]));
