import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { expect, it } from "vitest";

import { newLines } from "./new-lines.js";

it("gives each line of a growing file once, when it is complete", () => {
  const folder = mkdtempSync(join(tmpdir(), "new-lines-"));
  try {
    const file = join(folder, "log");
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom("\n", "é\n", "x".repeat(70_000)))), (pieces) => {
        writeFileSync(file, "");
        const next = newLines(file);
        const found = pieces.flatMap((piece) => {
          appendFileSync(file, piece);
          return next();
        });
        expect(found).toEqual(pieces.join("").split("\n").slice(0, -1));
        expect(next()).toEqual([]);
      }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
