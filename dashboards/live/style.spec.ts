import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

const css = readFileSync(new URL("client/style.css", import.meta.url), "utf8");

/** Each colour by day and by night. */
const COLOURS = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);/g)].map(
    ([, name, light, dark]) => [name!, { light: light!, dark: dark! }] as const,
  ),
);

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

describe.each(["light", "dark"] as const)("the %s colours", (theme) => {
  it.each(PAIRS)("%s can be read on %s", (text, ground) => {
    expect(contrast(COLOURS.get(text)![theme], COLOURS.get(ground)![theme])).toBeGreaterThanOrEqual(4.5);
  });
});
