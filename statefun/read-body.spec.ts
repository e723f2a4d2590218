import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";

import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";

import { readBody } from "./read-body.js";

const MAX_BYTES = 1024 * 1024;
const FIRST_BYTES = 64 * 1024;

const allocate = Buffer.allocUnsafeSlow.bind(Buffer);
afterEach(() => void vi.restoreAllMocks());

describe("a body that is being read", () => {
  it("takes room for what has come of it, not for what is announced, and is whole in the end", async () => {
    const announced = fc.constantFrom("all", "nothing", "more than comes");
    const pieces = fc.array(fc.constantFrom(100, 4_096, 16_384, 65_536), { minLength: 1, maxLength: 40, size: "max" });
    await fc.assert(
      fc.asyncProperty(pieces, announced, async (sizes, what) => {
        let come = 0;
        let taken = 0;
        let tooMuch = 0;
        vi.spyOn(Buffer, "allocUnsafeSlow").mockImplementation((bytes) => {
          tooMuch = Math.max(tooMuch, bytes - Math.max(FIRST_BYTES, 8 * come));
          taken += bytes;
          return allocate(bytes);
        });
        const sent = sizes.map((bytes, n) => Buffer.alloc(bytes, n + 1));
        const all = Buffer.concat(sent).subarray(0, MAX_BYTES);
        const length = { all: all.length, nothing: undefined, "more than comes": MAX_BYTES }[what];
        const stream = Object.assign(new PassThrough(), {
          headers: length === undefined ? {} : { "content-length": String(length) },
        });
        const body = readBody(stream as unknown as IncomingMessage, MAX_BYTES);
        for (let at = 0, n = 0; at < all.length; at += sizes[n++]!) {
          const piece = all.subarray(at, at + sizes[n]!);
          come += piece.length;
          stream.emit("data", piece);
        }
        stream.emit("end");
        const read = await body;
        expect(tooMuch).toBeLessThanOrEqual(0);
        expect(Buffer.isBuffer(read) && read.equals(all)).toBe(true);
        // When it is announced rightly, copies on the way take a quarter of it, and less than two first ones.
        if (what === "all") expect(taken).toBeLessThanOrEqual(1.25 * all.length + 2 * FIRST_BYTES);
      }),
    );
  });
});
