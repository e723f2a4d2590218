import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Spill } from "./spill.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fraud-spill-"));
  vi.stubEnv("TMPDIR", folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

it("gives back each shard's bytes in order, whatever had to go to disk, and leaves nothing there", () => {
  let written = 0;
  fc.assert(
    fc.property(
      fc.array(fc.record({ shard: fc.nat(3), bytes: fc.uint8Array({ maxLength: 60 }) })),
      fc.nat(2_000),
      (items, memoryBytes) => {
        const spill = new Spill(4, memoryBytes);
        for (const { shard, bytes } of items) spill.append(shard, bytes.subarray(0, 10), bytes.subarray(10));
        const total = items.reduce((sum, { bytes }) => sum + bytes.length, 0);
        expect(spill.fileBytes > 0).toBe(total > memoryBytes);
        written += spill.fileBytes;
        expect(readdirSync(folder)).toEqual([]);
        for (const shard of [2, 0, 3, 1])
          expect(spill.take(shard)).toEqual(
            Buffer.concat(items.filter((item) => item.shard === shard).map(({ bytes }) => bytes)),
          );
        expect(spill.take(0)).toHaveLength(0);
        spill.close();
      },
    ),
    { seed: 1 },
  );
  expect(written).toBeGreaterThan(0);
});
