import { describe, expect, it } from "vitest";

import { afterRestart, parseStateRecord, type StateRecord } from "./state-record.js";

const FOLDER = "s3://statefun/savepoints/restart-1";
const SAVEPOINT = `${FOLDER}/savepoint-1`;
const begun: StateRecord = {
  stateBackend: "rocksdb",
  generation: 3,
  next: { stateBackend: "hashmap", folder: FOLDER },
};

describe("a restart that was begun", () => {
  it("has led to the next generation when its savepoint is there", () => {
    expect(afterRestart(begun, SAVEPOINT)).toEqual({ stateBackend: "hashmap", generation: 4, savepoint: SAVEPOINT });
  });

  it("has led to nothing when it is not: the generation goes on where it was", () => {
    expect(afterRestart(begun, undefined)).toEqual({ stateBackend: "rocksdb", generation: 3 });
    const before = "s3://statefun/savepoints/restart-0/savepoint-0";
    expect(afterRestart({ ...begun, savepoint: before }, undefined)).toEqual({
      stateBackend: "rocksdb",
      generation: 3,
      savepoint: before,
    });
  });

  it("keeps Kafka where it was", () => {
    expect(afterRestart({ ...begun, kafka: "127.0.0.1:9092" }, SAVEPOINT)).toEqual({
      stateBackend: "hashmap",
      generation: 4,
      kafka: "127.0.0.1:9092",
      savepoint: SAVEPOINT,
    });
  });

  it("takes the parallelism of the generation that it has led to", () => {
    const wider: StateRecord = {
      ...begun,
      parallelism: 2,
      next: { stateBackend: "rocksdb", parallelism: 3, folder: FOLDER },
    };
    expect(afterRestart(wider, SAVEPOINT)).toEqual({
      stateBackend: "rocksdb",
      generation: 4,
      parallelism: 3,
      savepoint: SAVEPOINT,
    });
    expect(afterRestart(wider, undefined)).toEqual({ stateBackend: "rocksdb", generation: 3, parallelism: 2 });
  });

  it("does not exist without a note of it, whatever savepoints are there", () => {
    expect(afterRestart({ stateBackend: "rocksdb", generation: 3 }, SAVEPOINT)).toEqual({
      stateBackend: "rocksdb",
      generation: 3,
    });
  });
});

describe("parseStateRecord", () => {
  it.each([
    begun,
    afterRestart(begun, SAVEPOINT),
    {
      stateBackend: "hashmap",
      generation: 2,
      parallelism: 3,
      next: { stateBackend: "hashmap", parallelism: 2, folder: FOLDER },
    },
    { stateBackend: "hashmap", generation: 1, kafka: "127.0.0.1:9092" },
    { stateBackend: "hashmap", generation: 1 },
  ])("reads what was written: %j", (record) => {
    expect(parseStateRecord(JSON.stringify(record))).toEqual(record);
  });

  it.each([
    "",
    "{",
    "null",
    "[]",
    '{"stateBackend":"disk","generation":1}',
    '{"stateBackend":"rocksdb","generation":0}',
    '{"stateBackend":"rocksdb"}',
    '{"stateBackend":"rocksdb","generation":1,"savepoint":7}',
    '{"stateBackend":"rocksdb","generation":1,"next":{"folder":"s3://statefun/a"}}',
    '{"stateBackend":"rocksdb","generation":1,"parallelism":0}',
    '{"stateBackend":"rocksdb","generation":1,"parallelism":"3"}',
    '{"stateBackend":"rocksdb","generation":1,"kafka":9092}',
  ])("refuses anything else: %s", (text) => {
    expect(() => parseStateRecord(text)).toThrow(/state-record.json in the object store is none/);
  });
});
