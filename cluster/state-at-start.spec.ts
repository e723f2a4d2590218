import { describe, expect, it } from "vitest";

import { clusterSettings, type StateBackend } from "./settings.js";
import { backendIn, chosen } from "./state-at-start.js";
import type { StateRecord } from "./state-record.js";

const ask = (asked: StateBackend | undefined, found: StateRecord | undefined, past: boolean, earlier: StateBackend = "rocksdb") => chosen(clusterSettings(asked === undefined ? {} : { stateBackend: asked }), found, { past, earlier });
const rocksdb: StateRecord = { stateBackend: "rocksdb", generation: 2 };

describe("the backend of a start", () => {
  it("is what was asked for, else the heap, where there is no state yet", () => {
    expect(ask(undefined, undefined, false)).toEqual({ stateBackend: "hashmap", generation: 1 });
    expect(ask("rocksdb", undefined, false)).toEqual({ stateBackend: "rocksdb", generation: 1 });
  });

  it("may still be chosen after a start that came to no checkpoint, and is else what that one was to be", () => {
    expect(ask("hashmap", rocksdb, false)).toEqual({ stateBackend: "hashmap", generation: 2 });
    expect(ask(undefined, rocksdb, false)).toEqual(rocksdb);
  });

  it("is the one that the state is on, and no other", () => {
    expect(ask(undefined, rocksdb, true)).toEqual(rocksdb);
    expect(ask("rocksdb", rocksdb, true)).toEqual(rocksdb);
    expect(ask("hashmap", rocksdb, true)).toBeUndefined();
  });

  it("is that of the earlier version, of which nothing is written down", () => {
    expect(ask(undefined, undefined, true)).toEqual({ stateBackend: "rocksdb", generation: 1 });
    expect(ask("hashmap", undefined, true)).toBeUndefined();
    expect(ask("hashmap", undefined, true, "hashmap")).toEqual({ stateBackend: "hashmap", generation: 1 });
  });
});

describe("backendIn", () => {
  it("finds what Flink's settings name, if it is one of the two", () => {
    expect(backendIn("a: b;c\nstate.backend: rocksdb\nstate.backend.incremental: true\n")).toBe("rocksdb");
    expect(backendIn("state.backend: filesystem\n")).toBeUndefined();
    expect(backendIn("")).toBeUndefined();
  });
});
