import { brotliCompressSync, gzipSync } from "node:zlib";

/** Of what the web app takes. */
export const DASHBOARD_BYTES = 8 * 1024;

/** JSON for the web app; the intake's is in `intake/http/testing/hostile-bodies.ts`. */
export const dashboardBodies = () => [
  { name: "a key as long as may be", text: JSON.stringify({ ["k".repeat(DASHBOARD_BYTES - 10)]: 1 }) },
  { name: "escapes", text: `{"note":"${"\\u0000".repeat(1_300)}"}` },
  { name: "a number as long as may be", text: "9".repeat(DASHBOARD_BYTES) },
  { name: "nested objects", text: '{"a":'.repeat(1_400) + "1" + "}".repeat(1_000) },
  { name: "a key twice, escaped", text: `{${Array.from({ length: 600 }, () => '"\\u0061":1').join(",")}}` },
  { name: "numbers that are no numbers", text: `[${"1e999,".repeat(1_300)}0]` },
  { name: "nested arrays", text: "[".repeat(DASHBOARD_BYTES / 2) + "]".repeat(DASHBOARD_BYTES / 2) },
  { name: "keys again and again", text: `{${Array.from({ length: 1_300 }, () => '"a":1').join(",")}}` },
  { name: "unknown keys", text: `{${Array.from({ length: 900 }, (_, n) => `"k${n}":1`).join(",")}}` },
  { name: "control characters", text: `{"${"\u009b".repeat(4_000)}":1}` },
  { name: "no JSON", text: "x".repeat(DASHBOARD_BYTES) },
  { name: "more than may be", text: "x".repeat(1024 * 1024) },
];

/** Compressed bodies that are large, or are not what they say. */
export const compressedBodies = (maxBytes: number) => {
  const gzip = (name: string, bytes: Buffer, coding = "gzip") => ({ name, bytes, coding });
  return [
    gzip("compressed: zeros", gzipSync(Buffer.alloc(50 * 2 ** 20))),
    gzip("compressed twice: zeros", gzipSync(gzipSync(Buffer.alloc(200 * 2 ** 20))), "gzip, gzip"),
    gzip(
      "compressed: very many times nothing",
      Buffer.concat(Array<Buffer>(Math.floor(maxBytes / 20)).fill(gzipSync(""))),
    ),
    gzip("compressed: cut off", gzipSync(Buffer.alloc(maxBytes, "abcdefgh")).subarray(0, -9)),
    gzip("compressed with Brotli: zeros", brotliCompressSync(Buffer.alloc(50 * 2 ** 20)), "br"),
    gzip("not compressed at all", Buffer.alloc(maxBytes, 0x5b), "br"),
  ];
};
