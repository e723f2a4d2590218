import fc from "fast-check";
import { expect, it } from "vitest";

import type { RawRecord } from "../contract/raw-record.js";
import { FrameReader, type ReadPartition } from "./record-frames.js";

const TOPICS = ["transactions.valid", "decisions"];

/** As `ReadTopics.java` writes it. */
function written(frame: RawRecord | ReadPartition): Buffer {
  const head = Buffer.alloc(11);
  head.write("from" in frame ? "p" : "r", 4);
  head.writeUInt16BE(TOPICS.indexOf(frame.topic), 5);
  head.writeUInt32BE(frame.partition, 7);
  const longs = (...values: readonly bigint[]) =>
    Buffer.concat(values.map((value) => Buffer.from(BigInt.asUintN(64, value).toString(16).padStart(16, "0"), "hex")));
  const bytes = (value: Buffer | null) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(value?.length ?? -1);
    return Buffer.concat([length, value ?? Buffer.alloc(0)]);
  };
  const body =
    "from" in frame
      ? [longs(frame.from, frame.lastStableOffset, frame.highWatermark)]
      : [longs(frame.offset, BigInt(frame.timestampMs)), bytes(frame.key), bytes(frame.value)];
  const whole = Buffer.concat([head, ...body]);
  whole.writeUInt32BE(whole.length - 4);
  return whole;
}

const offset = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const bytes = fc.option(fc.uint8Array({ maxLength: 40 }).map((value) => Buffer.from(value)));
const place = { topic: fc.constantFrom(...TOPICS), partition: fc.nat() };
const frame = fc.oneof(
  fc.record<ReadPartition>({ ...place, from: offset, lastStableOffset: offset, highWatermark: offset }),
  fc.record<RawRecord>({
    ...place,
    offset,
    timestampMs: fc.integer({ min: -1, max: 2 ** 45 }),
    key: bytes,
    value: bytes,
  }),
);

it("takes frames out of a pipe, in whatever pieces they come", () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1 }),
      (frames, sizes) => {
        const pipe = Buffer.concat(frames.map(written));
        const reader = new FrameReader(TOPICS);
        const found: (RawRecord | ReadPartition)[] = [];
        for (let at = 0, n = 0; at < pipe.length; at += sizes[n++ % sizes.length]!)
          found.push(...reader.push(pipe.subarray(at, at + sizes[n % sizes.length]!)));
        expect(found).toEqual(frames);
      },
    ),
  );
});
