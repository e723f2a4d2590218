import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { cutOf, type KeptLog, LEAST_KEPT } from "./cut.js";

const MB = 1e6;
const log = (fields: Partial<KeptLog> = {}): KeptLog => ({
  topic: "transactions",
  partition: 0,
  begin: 1_000n,
  end: 2_000n,
  bytes: 1_000 * MB,
  segmentBytes: 50 * MB,
  boundBytes: 760 * MB,
  ...fields,
});

describe("where a log is cut", () => {
  it("is at the bound, as if its first segment held a single record and all records were of one size", () => {
    // Of 950 MB, 190.
    expect(cutOf(log(), 2_000n)).toBe(1_200n);
  });

  it("is no further than the doors have come", () => {
    expect(cutOf(log(), 1_150n)).toBe(1_150n);
    for (const taken of [1_000n, 999n, 0n, -1n]) expect(cutOf(log(), taken)).toBeUndefined();
  });

  it("is no further than half of the way, however much is too much", () => {
    expect(cutOf(log({ bytes: 1e12 }), 2_000n)).toBe(1_500n);
  });

  it("is nowhere within the bound and a segment, without a bound, and without records", () => {
    expect(cutOf(log({ bytes: 810 * MB }), 2_000n)).toBeUndefined();
    expect(cutOf(log({ boundBytes: undefined }), 2_000n)).toBeUndefined();
    expect(cutOf(log({ end: 1_000n }), 2_000n)).toBeUndefined();
  });

  it("never is beyond what was taken in, keeps half of the records and, of equal ones, the bound's bytes, whatever the broker tells", () => {
    const offset = fc.bigInt(-1n, 2n ** 50n);
    const bytes = fc.nat(2 ** 40);
    fc.assert(
      fc.property(offset, offset, offset, bytes, bytes, bytes, (begin, end, taken, size, segmentBytes, boundBytes) => {
        const one = log({ begin, end, bytes: size, segmentBytes, boundBytes });
        const at = cutOf(one, taken);
        if (at === undefined) return;
        expect(at > begin && at <= taken && at <= end).toBe(true);
        const kept = Number(end - at) / Number(end - begin);
        expect(kept).toBeGreaterThanOrEqual(LEAST_KEPT - 1e-9);
        // At the least, all but a segment's bytes are of records that were kept before.
        expect(kept * (size - segmentBytes)).toBeGreaterThanOrEqual(boundBytes * (1 - 1e-9));
      }),
      { numRuns: 2_000 },
    );
  });
});
