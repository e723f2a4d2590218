import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

const css = readFileSync(new URL("client/style.css", import.meta.url), "utf8");

/** The colours of a theme: those of its block, over the light ones. */
function colours(selector: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const block of [":root {", selector]) {
    const begin = css.indexOf(block);
    expect(begin, block).toBeGreaterThanOrEqual(0);
    for (const [, name, value] of css.slice(begin, css.indexOf("}", begin)).matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g))
      found.set(name!, value!);
  }
  return found;
}

/** Relative luminance and contrast as WCAG 2 defines them. */
function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

const PAIRS = [
  ...["ground", "surface", "raised", "accent-soft", "review-soft", "decline-soft", "good-soft"].map(
    (ground) => ["text", ground] as const,
  ),
  ...["ground", "surface", "raised", "accent-soft"].map((ground) => ["muted", ground] as const),
  ["accent", "surface"],
  ["accent", "accent-soft"],
  ["on-accent", "accent"],
  ...["review", "decline", "good"].flatMap((name) => [
    [name, "surface"],
    [name, "ground"],
    [name, `${name}-soft`],
    ["surface", name],
  ]),
] as readonly (readonly [string, string])[];

describe.each([
  ["light", ":root {"],
  ["dark", ':root[data-theme="dark"] {'],
  ["dark by the device", ':root:not([data-theme="light"]) {'],
])("the %s colours", (_, selector) => {
  it.each(PAIRS)("%s can be read on %s", (text, ground) => {
    const all = colours(selector);
    expect(contrast(all.get(text)!, all.get(ground)!)).toBeGreaterThanOrEqual(4.5);
  });
});

describe("the dark colours", () => {
  it("are the same by choice and by the device", () => {
    expect(colours(':root[data-theme="dark"] {')).toEqual(colours(':root:not([data-theme="light"]) {'));
  });
});
