import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { Ballast, isMounted, smallDisk } from "./small-disk.js";

describe("a small disk", () => {
  let above: string;
  beforeEach(() => (above = mkdtempSync(join(tmpdir(), "fraud-disk-"))));
  afterEach(() => rmSync(above, { recursive: true, force: true }));

  it("is the only one that is ever filled", () => {
    expect(isMounted(above)).toBe(false);
    expect(() => new Ballast(above)).toThrow(/has no disk of its own/);
  });

  it("is filled to the last byte, and has its room again", async ({ skip }) => {
    const folder = join(above, "data");
    const disk = await smallDisk(folder).catch((error: Error) => skip(error.message));
    try {
      const free = () => statfsSync(folder).bavail;
      const before = free();
      const ballast = new Ballast(folder);
      ballast.fill();
      ballast.fill();
      expect(free()).toBe(0);
      expect(() => writeFileSync(join(folder, "one"), "a byte")).toThrow(/ENOSPC/);
      ballast.drop();
      expect(free()).toBeGreaterThan(before * 0.99);
    } finally {
      await disk.remove();
    }
    expect(isMounted(folder)).toBe(false);
  });
});
