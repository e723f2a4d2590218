import { describe, expect, it } from "vitest";

import { afterRestart, parseStateRecord, type StateRecord } from "./state-record.js";

const FOLDER = "s3://statefun/savepoints/restart-1";
const SAVEPOINT = `${FOLDER}/savepoint-1`;
const begun: StateRecord = { stateBackend: "rocksdb", generation: 3, next: { stateBackend: "hashmap", folder: FOLDER } };

describe("a restart that was begun", () => {
  it("has come to the next generation when its savepoint is there", () => {
    expect(afterRestart(begun, SAVEPOINT)).toEqual({ stateBackend: "hashmap", generation: 4, savepoint: SAVEPOINT });
  });

  it("has come to nothing when it is not: the generation goes on where it was", () => {
    expect(afterRestart(begun, undefined)).toEqual({ stateBackend: "rocksdb", generation: 3 });
    const before = "s3://statefun/savepoints/restart-0/savepoint-0";
    expect(afterRestart({ ...begun, savepoint: before }, undefined)).toEqual({ stateBackend: "rocksdb", generation: 3, savepoint: before });
  });

  it("is none without a note of it, whatever savepoints are there", () => {
    expect(afterRestart({ stateBackend: "rocksdb", generation: 3 }, SAVEPOINT)).toEqual({ stateBackend: "rocksdb", generation: 3 });
  });
});

describe("parseStateRecord", () => {
  it.each([begun, afterRestart(begun, SAVEPOINT), { stateBackend: "hashmap", generation: 1 }])("reads what was written: %j", (record) => {
    expect(parseStateRecord(JSON.stringify(record))).toEqual(record);
  });

  it.each(["", "{", "null", "[]", '{"stateBackend":"disk","generation":1}', '{"stateBackend":"rocksdb","generation":0}', '{"stateBackend":"rocksdb"}', '{"stateBackend":"rocksdb","generation":1,"savepoint":7}', '{"stateBackend":"rocksdb","generation":1,"next":{"folder":"s3://statefun/a"}}'])("refuses anything else: %s", (text) => {
    expect(() => parseStateRecord(text)).toThrow(/state-record.json in the object store is none/);
  });
});
