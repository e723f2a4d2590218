import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";

import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";

import { readBody } from "./read-body.js";

const MAX_BYTES = 1024 * 1024;
const FIRST_BYTES = 64 * 1024;
/** Two of these are so much that a body waits. */
const PIECE = 8 * 1024 + 1;

const allocate = Buffer.allocUnsafeSlow.bind(Buffer);
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("very many bodies at once", () => {
  const arriving = () => {
    const stream = Object.assign(new PassThrough({ highWaterMark: 1 }), { headers: {} });
    return { stream, body: readBody(stream as unknown as IncomingMessage, MAX_BYTES) };
  };

  it("are read a few pieces at a time, and all of them in the end", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    const [bodies, pieces] = [50, 8];
    let taken = 0;
    const all = Array.from({ length: bodies }, arriving);
    for (const { stream } of all) {
      stream.on("data", () => taken++);
      for (let n = 0; n < pieces; n++) stream.write(Buffer.alloc(PIECE, n));
      stream.end();
    }
    const times: number[] = [];
    while (taken < bodies * pieces) {
      const before = taken;
      for (let n = 0; n < 50; n++) await turn();
      times.push(taken - before);
      expect(times.length).toBeLessThan(1_000);
      vi.advanceTimersByTime(5);
    }
    for (let n = 0; n < 50; n++) await turn();
    for (const { body } of all) expect((await body).length).toBe(pieces * PIECE);
    // At first two pieces of each, which are not many bytes yet, and later so many, and one more of each that goes on.
    expect(times[0]).toBeLessThanOrEqual(2 * bodies + 32);
    expect(Math.max(...times.slice(1))).toBeLessThanOrEqual(32 + 8);
  });

  it("do not hold up a small one", async () => {
    const large = Array.from({ length: 100 }, arriving);
    for (const { stream } of large) for (let n = 0; n < 8; n++) stream.write(Buffer.alloc(FIRST_BYTES));
    const small = arriving();
    small.stream.write("a");
    small.stream.end("b");
    await turn();
    await turn();
    expect(await Promise.race([small.body, turn("not yet")])).toEqual(Buffer.from("ab"));
    for (const { stream } of large) stream.emit("close");
  });
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
      }),
    );
  });
});
