import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { RequestError } from "./errors.js";
import { decodeCalls, type FramedCall, ReplyFrames } from "./framing.js";
import { decodeReplies, encodeCalls, type ReplyFrame } from "./testing/batch-client.js";

const id = fc.oneof(
  { weight: 3, arbitrary: fc.nat(5_000) },
  { weight: 1, arbitrary: fc.constantFrom(0, 2 ** 31, 2 ** 32 - 1) },
);
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const calls = fc.array(fc.record({ id, payload: bytes }), { maxLength: 50 });

const refusalOf = (body: Uint8Array, maxCalls = 4_096): { status: number; message: string } | undefined => {
  try {
    decodeCalls(body, maxCalls);
    return undefined;
  } catch (error) {
    if (!(error instanceof RequestError) || error.code !== "MALFORMED_REQUEST") throw error;
    return { status: error.status, message: error.message };
  }
};

describe("a request's frames", () => {
  it("are read as they were written, whatever they hold, including empty payloads and equal ids", () => {
    fc.assert(fc.property(calls, (written) => void expect(decodeCalls(encodeCalls(written), 50)).toEqual(written)));
  });

  it("have a layout that does not change", () => {
    expect(encodeCalls([{ id: 0x01020304, payload: Buffer.from("ab") }])).toEqual(
      Buffer.of(1, 0, 0, 0, 6, 1, 2, 3, 4, 97, 98),
    );
  });

  it("are read from the middle of a larger piece of memory, without a copy", () => {
    const body = encodeCalls([{ id: 7, payload: Buffer.from("payload") }]);
    const larger = new Uint8Array(body.length + 20);
    larger.set(body, 10);
    const [call] = decodeCalls(larger.subarray(10, 10 + body.length), 1);
    expect(call).toEqual({ id: 7, payload: Buffer.from("payload") });
    expect(call!.payload.buffer).toBe(larger.buffer);
  });

  it("are refused when they are cut off anywhere but between two frames", () => {
    fc.assert(
      fc.property(calls, fc.nat(), (written, at) => {
        const body = encodeCalls(written);
        const cut = at % (body.length + 1);
        const ends = written.reduce<number[]>((sums, { payload }) => [...sums, sums.at(-1)! + 8 + payload.length], [1]);
        const refusal = refusalOf(body.subarray(0, cut));
        if (ends.includes(cut)) expect(refusal).toBeUndefined();
        else expect(refusal?.status).toBe(400);
      }),
    );
  });

  it("are either read or refused, whatever the bytes", () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.uint8Array({ maxLength: 200 }).map((rest) => Uint8Array.of(1, ...rest)),
      // Good frames with one byte changed.
      fc.tuple(calls, fc.nat(), fc.nat(255)).map(([written, at, byte]) => {
        const body = encodeCalls(written);
        body[at % body.length] = byte;
        return body;
      }),
    );
    fc.assert(
      fc.property(hostile, (body) => {
        let read: FramedCall[];
        try {
          read = decodeCalls(body, 50);
        } catch (error) {
          expect(error).toBeInstanceOf(RequestError);
          expect([400, 413]).toContain((error as RequestError).status);
          return;
        }
        expect(encodeCalls(read)).toEqual(Buffer.from(body));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    { what: "no byte", body: Buffer.alloc(0), status: 400, says: /empty/ },
    { what: "another version", body: encodeCalls([], 2), status: 400, says: /version 2, not 1/ },
    {
      what: "a length that is cut off",
      body: Buffer.of(1, 0, 0),
      status: 400,
      says: /frame 0 is cut off in its length/,
    },
    {
      what: "no room for an id",
      body: Buffer.of(1, 0, 0, 0, 3, 0, 0, 0),
      status: 400,
      says: /3 bytes: too few for a call id/,
    },
    {
      what: "the greatest length",
      body: Buffer.of(1, 255, 255, 255, 255, 0, 0, 0, 0),
      status: 400,
      says: /4294967295 bytes, of which 4 are there/,
    },
    {
      what: "one call too many",
      body: encodeCalls([0, 1, 2].map((id) => ({ id, payload: Buffer.alloc(0) }))),
      status: 413,
      says: /more than 2 calls/,
    },
  ])("say what is wrong: $what", ({ body, status, says }) => {
    expect(refusalOf(body, 2)).toEqual({ status, message: expect.stringMatching(says) as unknown });
  });

  it("may be absent", () => {
    expect(decodeCalls(encodeCalls([]), 1)).toEqual([]);
  });
});

describe("a response's frames", () => {
  const frame: fc.Arbitrary<ReplyFrame> = fc.oneof(
    fc.record({ kind: fc.constant("result" as const), id, payload: bytes }),
    fc.record({
      kind: fc.constant("error" as const),
      id,
      status: fc.constantFrom(400, 404, 413, 500),
      text: fc.string({ unit: "grapheme" }),
    }),
    fc.constant({ kind: "alive" as const }),
  );
  const add = (frames: ReplyFrames, one: ReplyFrame): void => {
    if (one.kind === "result") frames.result(one.id, [one.payload]);
    else if (one.kind === "error") frames.error(one.id, one.status, one.text);
    else frames.alive();
  };

  it("are read as they were added, however they are taken and wherever the bytes are split", () => {
    fc.assert(
      fc.property(fc.array(fc.array(frame, { maxLength: 10 }), { maxLength: 5 }), fc.nat(), (groups, at) => {
        const frames = new ReplyFrames();
        const pieces = groups.map((group) => {
          for (const one of group) add(frames, one);
          const piece = Buffer.concat(frames.take());
          expect(frames.bytes).toBe(0);
          return piece;
        });
        const body = Buffer.concat(pieces);
        const all = groups.flat();
        expect(decodeReplies(body)).toEqual(all);
        // What has come so far is a prefix of what will come.
        const some = decodeReplies(body.subarray(0, at % (body.length + 1)));
        expect(some).toEqual(all.slice(0, some.length));
      }),
    );
  });

  it("have a layout that does not change", () => {
    const frames = new ReplyFrames();
    frames.result(0x01020304, [Buffer.from("ab")]);
    frames.error(5, 404, "no");
    frames.alive();
    expect(Buffer.concat(frames.take())).toEqual(
      Buffer.of(
        1,
        0,
        0,
        0,
        7,
        0,
        1,
        2,
        3,
        4,
        97,
        98,
        0,
        0,
        0,
        9,
        1,
        0,
        0,
        0,
        5,
        1,
        148,
        110,
        111,
        0,
        0,
        0,
        5,
        2,
        0,
        0,
        0,
        0,
      ),
    );
    expect(Buffer.concat(frames.take())).toEqual(Buffer.alloc(0));
  });
});
