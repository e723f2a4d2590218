import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { write } from "./part-program.js";

describe("a part's file", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "fraud-part-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("is written with the folders above it, and replaced as a whole", () => {
    const file = join(folder, "conf", "kafka.properties");
    for (const text of ["a=1", "a=2"]) {
      write(file, text);
      expect(readFileSync(file, "utf8")).toBe(text);
    }
  });

  it.skipIf(!existsSync("/dev/full"))("needs no room if it is there already, and stays whole without any", () => {
    const file = join(folder, "kafka.properties");
    write(file, "a=1");
    symlinkSync("/dev/full", `${file}.new`);
    write(file, "a=1");
    expect(() => write(file, "a=2")).toThrow("ENOSPC");
    expect(readFileSync(file, "utf8")).toBe("a=1");
  });
});
