import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { MAX_INFLATED_BYTES, readBatches, unreadableBatch } from "./record-batches.js";
import { batchOf, type BatchRecord } from "./testing/batch.js";
import { PACKERS } from "./testing/packers.js";

/** What Kafka's own Java producer (3.9.1) makes of three records, from offset 40 on. */
const FROM_JAVA = {
  gzip: "AAAAAAAAACgAAACD/////wKhn0q5AAEAAAACAAABoMRQbAAAAAGgxFBsAv//////////////////AAAAAx+LCAAAAAAAAP9bwsTAwMCSbTCJqVopT8nKQEepJLWiRMlKKa0osTRFgf6kUi3DEiYGJiaWbEOomwwHiZtYWFiyjaBuMhoMbgIAMbdg1bwBAAA=",
  snappy:
    "AAAAAAAAACgAAACX/////wLHVCy4AAIAAAACAAABoMRQbAAAAAGgxFBsAv//////////////////AAAAA4JTTkFQUFkAAAAAAQAAAAEAAABSvAN4pAIAAAAEazCSAnsibiI6MCwidGV4dCI6ImZyYXVkIP4GAMYGACgifQCkAgACAgRrMQ2UADH+lAD+lAANlBAEBARrMg2UADL+lAD+lAABlA==",
  lz4: "AAAAAAAAACgAAACK/////wKsnawdAAMAAAACAAABoMRQbAAAAAGgxFBsAv//////////////////AAAAAwQiTRhgQIJKAAAA/xCkAgAAAARrMJICeyJuIjowLCJ0ZXh0IjoiZnJhdWQgBgBfsyJ9AKQCAAICBGsxlAAfMZQAdFMEBARrMpQAHzKUAGxQZCAifQAAAAAA",
  zstd: "AAAAAAAAACgAAACA/////wK17hhCAAQAAAACAAABoMRQbAAAAAGgxFBsAv//////////////////AAAAAyi1L/0AWBwCABQDpAIAAAAEazCSAnsibiI6MCwidGV4dCI6ImZyYXVkICJ9AKQCAAICBGsxMQQEBGsyMgUAAUAFyJQAlF1MNn9JSx4BAAA=",
} as const;

const shown = (records: Awaited<ReturnType<typeof readBatches>>) =>
  records.map(({ offset, key, value }) => [Number(offset), key?.toString(), value?.toString()]);
const visible = (records: Awaited<ReturnType<typeof readBatches>>) =>
  records.filter((record) => !record.isControlRecord && unreadableBatch(record as never) === undefined);
const text = (value: string | Buffer | null): string | undefined => value?.toString();
const refusals = (records: Awaited<ReturnType<typeof readBatches>>) =>
  records.flatMap((record) => unreadableBatch(record as never) ?? []);

describe("the batches of a fetch answer", () => {
  it.each(Object.entries(FROM_JAVA))("are read as Kafka's own producer packs them by %s", async (_, base64) => {
    const records = await readBatches(Buffer.from(base64, "base64"), 40n);
    expect(shown(records)).toEqual(
      [0, 1, 2].map((n) => [40 + n, `k${n}`, `{"n":${n},"text":"${"fraud ".repeat(20)}"}`]),
    );
    expect(records.map(({ timestamp }) => timestamp)).toEqual(["1790000000000", "1790000000001", "1790000000002"]);
  });

  it.each(Object.entries(PACKERS))("are read whatever they hold: %s", async (_, { codec, pack }) => {
    const record = fc.record({
      key: fc.option(fc.string()),
      value: fc.oneof(fc.string({ maxLength: 200 }), fc.constant(null)),
      headers: fc.array(fc.tuple(fc.string(), fc.option(fc.string())), { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { minLength: 1, maxLength: 20 }),
        fc.nat(2 ** 40),
        fc.nat(19),
        async (records: BatchRecord[], firstOffset, after) => {
          const bytes = Buffer.concat([
            batchOf(records, { firstOffset, codec, pack }),
            batchOf([{ value: "next" }], { firstOffset: firstOffset + records.length }),
          ]);
          const from = firstOffset + (after % records.length);
          const expected = records
            .map(({ key, value }, n) => [firstOffset + n, key ?? undefined, text(value)])
            .slice(from - firstOffset);
          expect(shown(await readBatches(bytes, BigInt(from)))).toEqual([
            ...expected,
            [firstOffset + records.length, undefined, "next"],
          ]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("keep headers of any name apart from what every object has, and repeated ones", async () => {
    const names = ["constructor", "__proto__", "toString", "a", "a"];
    const [record] = await readBatches(
      batchOf([{ value: "v", headers: names.map((name, n) => [name, `${n}`] as const) }], { firstOffset: 0 }),
      0n,
    );
    expect(Object.entries(record!.headers).map(([name, value]) => [name, String(value)])).toEqual([
      ["constructor", "0"],
      ["__proto__", "1"],
      ["toString", "2"],
      ["a", "3,4"],
    ]);
  });

  it("wait for the next answer when they are cut off", async () => {
    const first = batchOf([{ value: "a" }], { firstOffset: 0 });
    const second = batchOf([{ value: "b" }, { value: "c" }], { firstOffset: 1 });
    for (let cut = 0; cut < second.length; cut++)
      expect(shown(await readBatches(Buffer.concat([first, second.subarray(0, cut)]), 0n))).toEqual([
        [0, undefined, "a"],
      ]);
  });

  it("lead past what a compacted log has lost, and past a batch that has nothing left", async () => {
    const compacted = batchOf([{ value: "a", offset: 3 }], { firstOffset: 0, lastOffset: 9 });
    const empty = batchOf([], { firstOffset: 10, lastOffset: 14 });
    const records = await readBatches(Buffer.concat([compacted, empty]), 5n);
    expect(records.map(({ offset, isControlRecord }) => [offset, isControlRecord])).toEqual([
      ["9", true],
      ["14", true],
    ]);
  });
});

describe("what cannot be read", () => {
  const bomb = Buffer.alloc(MAX_INFLATED_BYTES + 1);

  it.each(Object.entries(PACKERS))("is refused by position, and nothing beside it: %s", async (_, { codec, pack }) => {
    const small = { codec, pack };
    const bytes = Buffer.concat([
      batchOf([{ value: "before" }], { firstOffset: 7, ...small }),
      batchOf([{ value: bomb }], { firstOffset: 8, ...small }),
      batchOf([{ value: "a" }, { value: bomb }, { value: "c" }], { firstOffset: 9, ...small }),
      batchOf([{ value: "after" }], { firstOffset: 12, ...small }),
    ]);
    expect(bytes.length).toBeLessThan(3 * 1024 * 1024);
    const records = await readBatches(bytes, 7n);
    expect(shown(visible(records))).toEqual([
      [7, undefined, "before"],
      [12, undefined, "after"],
    ]);
    expect(refusals(records)).toMatchObject([
      { firstOffset: 8n, lastOffset: 8n, kind: "too-large" },
      { firstOffset: 9n, lastOffset: 11n, kind: "too-large" },
    ]);
    expect(refusals(records)[0]!.message).toContain(`it unpacks to more than ${MAX_INFLATED_BYTES} bytes`);
    // Settled, they are behind: each leads on by its last offset.
    expect(records.map(({ offset }) => offset)).toEqual(["7", "8", "11", "12"]);
    expect(refusals(await readBatches(bytes, 10n))).toMatchObject([{ firstOffset: 10n, lastOffset: 11n }]);
  });

  it.each(["gzip", "snappy", "lz4", "zstd"] as const)("may be damaged: %s", async (codec) => {
    for (const junk of [
      "",
      "junk",
      "junk that is long enough for any head",
      "\x82SNAPPY\0\0\0\0\x01\0\0\0\x01\xff\xff\xff\xff",
    ]) {
      const records = await readBatches(
        Buffer.concat([
          batchOf([{ value: "x" }], { firstOffset: 0, codec, pack: () => Buffer.from(junk, "latin1") }),
          batchOf([{ value: "after" }], { firstOffset: 1 }),
        ]),
        0n,
      );
      expect(refusals(records)).toMatchObject([{ firstOffset: 0n, lastOffset: 0n, kind: "damaged" }]);
      expect(shown(visible(records))).toEqual([[1, undefined, "after"]]);
    }
  });

  it("may have a codec that nobody knows, or fewer records than it says, or a format that is gone", async () => {
    const good = batchOf([{ value: "a" }, { value: "b" }], { firstOffset: 0 });
    const unknown = Buffer.from(good);
    unknown.writeInt16BE(5, 21);
    expect(refusals(await readBatches(unknown, 0n))).toMatchObject([
      { firstOffset: 0n, lastOffset: 1n, kind: "damaged" },
    ]);
    const short = Buffer.from(good);
    short.writeInt32BE(2 ** 31 - 1, 57);
    const records = await readBatches(short, 0n);
    expect([shown(visible(records)), refusals(records)]).toEqual([
      [
        [0, undefined, "a"],
        [1, undefined, "b"],
      ],
      [],
    ]);
    const old = Buffer.alloc(40);
    old.writeBigInt64BE(4n, 0);
    old.writeInt32BE(28, 8);
    old.writeInt8(1, 16);
    expect(
      refusals(await readBatches(Buffer.concat([old, batchOf([{ value: "new" }], { firstOffset: 5 })]), 0n)),
    ).toMatchObject([{ firstOffset: 4n, kind: "damaged" }]);
  });

  it("takes no more memory for many than for one, and is read in pieces", async () => {
    const { pack } = PACKERS.gzip;
    const large = (firstOffset: number) =>
      batchOf([{ value: Buffer.alloc(3 * 1024 * 1024) }], { firstOffset, codec: "gzip", pack });
    expect((await readBatches(Buffer.concat([0, 1, 2, 3].map(large)), 0n)).map(({ offset }) => offset)).toEqual([
      "0",
      "1",
    ]);
    const many = batchOf(
      Array.from({ length: 50_000 }, () => ({ value: "" })),
      { firstOffset: 0, codec: "gzip", pack },
    );
    const seen: number[] = [];
    for (let next = 0, answers = 0; next < 50_000; answers++) {
      const records = await readBatches(many, BigInt(next));
      expect(answers).toBeLessThan(5);
      seen.push(...records.map(({ offset }) => Number(offset)));
      next = Number(records.at(-1)!.offset) + 1;
    }
    expect(seen).toEqual(Array.from({ length: 50_000 }, (_, n) => n));
  });

  it("never throws for damage within a batch, and never goes back", async () => {
    const whole = Buffer.concat(
      Object.values(PACKERS).map(({ codec, pack }, n) =>
        batchOf([{ value: "some text ".repeat(20), key: "k", headers: [["h", "v"]] }, { value: "b" }], {
          firstOffset: n * 2,
          codec,
          pack,
        }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 }), async (changes) => {
        const bytes = Buffer.from(whole);
        // Lengths and offsets are the broker's, which makes them; everything else is the producer's.
        const heads: number[] = [];
        for (let at = 0; at < whole.length; at += 12 + whole.readInt32BE(at + 8)) heads.push(at);
        for (const [at, byte] of changes) if (!heads.some((head) => at >= head && at < head + 27)) bytes[at] = byte;
        const records = await readBatches(bytes, 0n);
        expect(Number(records.at(-1)!.offset)).toBeGreaterThanOrEqual(9);
      }),
      { numRuns: 300 },
    );
  });
});
