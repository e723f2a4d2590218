import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";

import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";

import { BLOCK_BYTES } from "./gathered.js";
import { HeldBytes } from "./held-bytes.js";
import { readBody } from "./read-body.js";

const MAX_BYTES = 1024 * 1024;
const FIRST_BYTES = 64 * 1024;

/** A request without HTTP. */
const requestOf = (stream: PassThrough, headers: Readonly<Record<string, string>> = {}) =>
  Object.assign(stream, { headers }) as unknown as IncomingMessage;

const allocate = Buffer.allocUnsafeSlow.bind(Buffer);
afterEach(() => {
  vi.restoreAllMocks();
});

describe("a body that is being read", () => {
  it("is whole in the end, whatever is announced of it, and takes no room before it comes", async () => {
    const announced = fc.constantFrom("all", "nothing", "more than comes");
    const pieces = fc.array(fc.constantFrom(100, 4_096, 16_384, 65_536), { minLength: 1, maxLength: 40, size: "max" });
    await fc.assert(
      fc.asyncProperty(pieces, announced, async (sizes, what) => {
        let come = 0;
        let taken = 0;
        let tooMuch = 0;
        vi.spyOn(Buffer, "allocUnsafeSlow").mockImplementation((bytes) => {
          taken += bytes;
          tooMuch = Math.max(tooMuch, taken - come - FIRST_BYTES);
          return allocate(bytes);
        });
        const sent = sizes.map((bytes, n) => Buffer.alloc(bytes, n + 1));
        const all = Buffer.concat(sent).subarray(0, MAX_BYTES);
        const length = { all: all.length, nothing: undefined, "more than comes": MAX_BYTES }[what];
        const stream = new PassThrough();
        const headers = length === undefined ? {} : { "content-length": String(length) };
        const body = readBody(requestOf(stream, headers), MAX_BYTES);
        for (let at = 0, n = 0; at < all.length; at += sizes[n++]!) {
          const piece = all.subarray(at, at + sizes[n]!);
          come += piece.length;
          stream.emit("data", piece);
        }
        stream.emit("end");
        const read = await body;
        expect(tooMuch).toBeLessThanOrEqual(0);
        expect(Buffer.isBuffer(read) && read.equals(all)).toBe(true);
      }),
    );
  });

  it("counts with the room that it takes: very many of two small pieces take no more than all may", async () => {
    const held = new HeldBytes(10 * BLOCK_BYTES);
    const streams = Array.from({ length: 25 }, () => new PassThrough());
    const bodies = streams.map((stream) => readBody(requestOf(stream), MAX_BYTES, held));
    for (const stream of streams) stream.emit("data", Buffer.alloc(10));
    expect(held.bytes).toBe(25 * 10);
    for (const stream of streams) stream.emit("data", Buffer.alloc(10));
    expect(held.bytes).toBeLessThanOrEqual(10 * BLOCK_BYTES);
    for (const stream of streams) stream.emit("end");
    const read = await Promise.all(bodies);
    expect(read.filter((body) => body === "too-much-held").length).toBeGreaterThanOrEqual(15);
    expect(read.filter((body) => Buffer.isBuffer(body) && body.length === 20).length).toBeGreaterThanOrEqual(9);
  });
});
