import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { visible, visibleAll, visibleJson, visibleLines } from "./visible.js";

const EVIL = "a\u001b[2J\u009b31m\u007f\u202e\u200b\u2028\u{e0041}\r\nz";
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

describe("text of strangers on a terminal", () => {
  it("stays as it is where it shows", () => {
    expect(visible("Café 東京\t😀 \\u{1b}")).toBe("Café 東京\t😀 \\u{1b}");
  });

  it("has written out what does not show", () => {
    expect(visible(EVIL)).toBe("a\\u{1b}[2J\\u{9b}31m\\u{7f}\\u{202e}\\u{200b}\\u{2028}\\u{e0041}\\u{d}\\u{a}z");
    // A letter that is drawn as nothing, a mark that joins, one that only chooses a form, and a blank of Braille.
    expect(visible("ada\u3164\u034f\ufe0f\u2800")).toBe("ada\\u{3164}\\u{34f}\\u{fe0f}\\u{2800}");
    expect(visibleLines("a\n\u001bb")).toBe("a\n\\u{1b}b");
    expect(visibleAll({ [`a`]: [EVIL, 1, null], b: { c: "\u0007" } })).toEqual({
      a: [visible(EVIL), 1, null],
      b: { c: "\\u{7}" },
    });
  });

  it("is the same value as JSON, with nothing that does not show", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string({ unit: "binary" }), fc.constant(EVIL))), (texts) => {
        const value = Object.fromEntries(texts.map((text, n) => [`${n}${text}`, text]));
        const shown = visibleJson(value, 2);
        expect(JSON.parse(shown)).toEqual(value);
        expect(shown.replaceAll("\n", "")).not.toMatch(UNSEEN);
      }),
    );
  });
});
