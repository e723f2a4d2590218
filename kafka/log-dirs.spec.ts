import { describe, expect, it } from "vitest";

import { logDirsIn, logDirsRequest } from "./log-dirs.js";

// Both by Kafka 3.9.1's own Java classes: what follows a request's header, and a response with two folders, one of
// which holds a partition that is being moved there.
const REQUEST = "000000";
const RESPONSE =
  "00000000000000030000032f6102076c6162656c73030000000000000001a13b86000000000000000000000000000001000000000000000c0000000000000003010000000000fa000000000000000140000000000000032f6202076c6162656c73020000000200000000000000010000000000000000000000000000190000000000000000400000000000";
const GIB = 2 ** 30;

describe("the request for the size of logs", () => {
  it("is what Kafka reads", () => {
    expect((logDirsRequest() as unknown as { readonly buffer: Buffer }).buffer.toString("hex")).toBe(REQUEST);
  });

  it("has its answer read: the size of each log, and the disk with the least room", () => {
    const { logBytes, disk } = logDirsIn(Buffer.from(RESPONSE, "hex"));
    expect([...logBytes]).toEqual([
      ["labels/0", 7_000_000_000],
      ["labels/2", 1],
    ]);
    expect(disk).toEqual({ totalBytes: 100 * GIB, freeBytes: GIB });
  });

  it("throws when the broker cannot say", () => {
    // KAFKA_STORAGE_ERROR of the first folder.
    const failed = RESPONSE.replace("0000032f61", "0038032f61");
    expect(() => logDirsIn(Buffer.from(failed, "hex"))).toThrow("error 56");
  });
});
