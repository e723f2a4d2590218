import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";

import { describe, expect, it } from "vitest";

import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { door, label, post, transaction, useDoor } from "./testing/test-door.js";

useDoor();

describe("a coded body", () => {
  const text = JSON.stringify(transaction);
  const gzip = gzipSync(text);

  it.each([
    ["gzip", gzip],
    ["GZip", gzip],
    [" x-gzip ", gzip],
    ["gzip", Buffer.concat([gzipSync(text.slice(0, 20)), gzipSync(text.slice(20))])],
    ["deflate", deflateSync(text)],
    ["deflate", deflateRawSync(text)],
    ["br", brotliCompressSync(text)],
    ["identity", Buffer.from(text)],
    ["Identity, ", Buffer.from(text)],
    ["", Buffer.from(text)],
    ["deflate, gzip", gzipSync(deflateSync(text))],
    ["br,identity", brotliCompressSync(text)],
  ])("is read: %s", async (coding, payload) => {
    expect((await post(payload, { coding })).response.statusCode).toBe(202);
    expect(Transaction.decode(door.written[0]!.value!).transactionId).toBe("t");
  });

  it("may hold many, and labels", async () => {
    expect((await post(gzipSync(JSON.stringify([transaction, transaction])), { coding: "gzip" })).body).toMatchObject({
      accepted: 2,
    });
    expect(
      (await post(gzipSync(`${text}\n${text}`), { coding: "gzip", type: "application/x-ndjson" })).body,
    ).toMatchObject({ accepted: 2 });
    expect((await post(gzipSync(JSON.stringify(label)), { coding: "gzip", kind: "labels" })).response.statusCode).toBe(
      202,
    );
  });

  it.each(["zstd", "compress", "gzip, aes128gcm", "gzip;q=1", "constructor", "*", "gzip,gzip,gzip,gzip"])(
    "is refused when it is %s, before it is read, with what is supported here",
    async (coding) => {
      const { response, body } = await post("?".repeat(2_000_000), { coding });
      expect([response.statusCode, response.headers["accept-encoding"], body]).toEqual([
        415,
        "gzip, deflate, br, identity",
        expect.objectContaining({ detail: expect.stringContaining("content-encoding") as string }),
      ]);
    },
  );

  it.each([
    ["gzip", Buffer.from(text)],
    ["gzip", gzip.subarray(0, -4)],
    ["gzip", Buffer.concat([gzip, Buffer.from("more")])],
    ["gzip", Buffer.from(gzip.map((byte, at) => (at === 30 ? byte ^ 0xff : byte)))],
    ["gzip", Buffer.alloc(0)],
    ["deflate", Buffer.concat([deflateSync(text), Buffer.from("more")])],
    ["br", Buffer.concat([brotliCompressSync(text), Buffer.from("more")])],
    ["br", gzip],
    ["gzip, gzip", gzip],
  ])("is refused when it is not a whole %s", async (coding, payload) => {
    expect((await post(payload, { coding })).body).toMatchObject({
      status: 400,
      reason: "UNREADABLE",
      detail: expect.stringContaining("content-encoding says") as string,
    });
  });

  const LIMIT = 1024 * 1024;
  const padded = (bytes: number): string => text.padEnd(bytes, " ");
  it.each([
    ["gzip", gzipSync(padded(LIMIT)), 202],
    ["gzip", gzipSync(padded(LIMIT + 1)), 413],
    ["br", brotliCompressSync(Buffer.alloc(20 * LIMIT, " ")), 413],
    ["deflate", deflateSync(Buffer.alloc(20 * LIMIT, " ")), 413],
    ["gzip, gzip", gzipSync(gzipSync(Buffer.alloc(50 * LIMIT, " "))), 413],
  ])("has the same bounds as a plain one: %s", async (coding, payload, status) => {
    expect((await post(payload, { coding })).response.statusCode).toBe(status);
  });

  it("that is a bomb takes no memory", async () => {
    const bomb = gzipSync(Buffer.alloc(100 * LIMIT));
    const before = process.memoryUsage.rss();
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(bomb, { coding: "gzip" })));
    expect(new Set(answers.map(({ response }) => response.statusCode))).toEqual(new Set([413]));
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * LIMIT);
  });
});
