import { describe, expect, it } from "vitest";

import { HEAP_CHECKPOINT_BYTES, megabytes, sizeAdvice } from "./state-size.js";

describe("the size of the state", () => {
  it("is for RocksDB beyond the bound, and never a reason to leave RocksDB: its checkpoints say only what they add", () => {
    expect(sizeAdvice("hashmap", HEAP_CHECKPOINT_BYTES, "demo")).toBeUndefined();
    expect(sizeAdvice("hashmap", HEAP_CHECKPOINT_BYTES + 1, "demo")).toMatch(/20 MB.*convert rocksdb --name demo/);
    expect(sizeAdvice("rocksdb", 10 * HEAP_CHECKPOINT_BYTES, "demo")).toBeUndefined();
  });

  it("is shown in megabytes", () => {
    expect([84_000, 5_040_000, 9_960_000, 77_012_345].map(megabytes)).toEqual(["0.1 MB", "5.0 MB", "10 MB", "77 MB"]);
  });
});
