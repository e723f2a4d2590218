import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";

import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";

import { BLOCK_BYTES } from "./gathered.js";
import { HeldBytes } from "./held-bytes.js";
import { readBody } from "./read-body.js";

const MAX_BYTES = 1024 * 1024;
const FIRST_BYTES = 64 * 1024;
/** Two of these are so much that a body waits. */
const PIECE = 8 * 1024 + 1;

/** A request without HTTP. */
const requestOf = (stream: PassThrough, headers: Readonly<Record<string, string>> = {}) => {
  const socket = { pause: () => undefined, resume: () => undefined, emit: () => true };
  return Object.assign(stream, { headers, socket }) as unknown as IncomingMessage;
};

const allocate = Buffer.allocUnsafeSlow.bind(Buffer);
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("very many bodies at once", () => {
  const arriving = () => {
    const stream = new PassThrough({ highWaterMark: 1 });
    return { stream, body: readBody(requestOf(stream), MAX_BYTES) };
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

  it("stay with the system while they wait, and come in the end", async () => {
    // So none goes on by itself.
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    const requests: IncomingMessage[] = [];
    const lengths: number[] = [];
    const server = createServer((request, response) => {
      if (request.method === "GET") return response.end("got");
      requests.push(request);
      void readBody(request, MAX_BYTES).then(({ length }) => lengths.push(length));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const open = (): Socket => connect((server.address() as AddressInfo).port, "127.0.0.1");
    const clients = Array.from({ length: 40 }, open);
    const each = (bytes: number, before = ""): void => {
      for (const client of clients) client.write(before + "x".repeat(bytes));
    };
    const read = (): number => requests.reduce((sum, { socket }) => sum + socket.bytesRead, 0);
    each(2 * PIECE, `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${MAX_BYTES}\r\n\r\n`);
    while (read() < clients.length * 2 * PIECE) await turn();
    each(1_000);
    while (!requests.every((request) => request.isPaused())) await turn();
    await turn();
    const before = read();
    each(1_000);
    const other = open();
    other.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    await once(other.resume(), "close");
    expect(read()).toBe(before);
    each(MAX_BYTES - 2 * PIECE - 2_000);
    while (lengths.length < clients.length) {
      vi.advanceTimersByTime(5);
      await turn();
    }
    expect(lengths).toEqual(clients.map(() => MAX_BYTES));
    for (const client of clients) client.destroy();
    server.close();
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
