import { describe, expect, it } from "vitest";

import { checkpointId } from "./object-store.js";

/** As Flink writes them. */
function head(id: bigint, mark = 0x4960672d): Uint8Array {
  const bytes = Buffer.alloc(24);
  bytes.writeUInt32BE(mark, 0);
  bytes.writeInt32BE(4, 4);
  bytes.writeBigInt64BE(id, 8);
  return bytes;
}

describe("checkpointId", () => {
  it("reads a checkpoint's number", () => {
    expect(checkpointId(head(0n))).toBe(0n);
    expect(checkpointId(head(2n ** 40n + 7n))).toBe(2n ** 40n + 7n);
    // As a store's client may return them: somewhere in a larger buffer.
    const larger = Buffer.concat([Buffer.alloc(3), head(12n)]);
    expect(checkpointId(larger.subarray(3))).toBe(12n);
  });

  it("finds none in what is not a checkpoint's metadata", () => {
    expect(checkpointId(head(1n, 0x12345678))).toBeUndefined();
    expect(checkpointId(head(1n).subarray(0, 15))).toBeUndefined();
  });
});
