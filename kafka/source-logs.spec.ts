import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type CommittedPosition, noteOf, SourceLogs } from "./source-logs.js";

const TOPIC = "transactions";
const idOf = (log: number): Buffer => Buffer.alloc(16, log);

/**
 * A topic with one partition, and a consumer that goes by its name alone, as kafkajs does: it keeps its offset whatever
 * becomes of the topic.
 */
class Fake {
  #made = 1;
  /** The records' texts; `undefined`: deleted. */
  #log: { readonly id: Buffer; readonly records: string[] } | undefined = { id: idOf(1), records: [] };
  #committed: CommittedPosition = { topic: TOPIC, partition: 0, metadata: null, offset: -1n };
  #next = 0;
  #seek: number | undefined;
  readonly read: string[] = [];
  readonly logs = new SourceLogs({
    ids: () => Promise.resolve(new Map(this.#log && [[TOPIC, this.#log.id]])),
    committed: () => Promise.resolve([this.#committed]),
    seek: (_topic, _partition, offset) => (this.#seek = Number(offset)),
  });

  constructor() {
    this.join();
  }

  get records(): readonly string[] {
    return this.#log!.records;
  }

  /** It is said in which log it was written, as which record. */
  produce(): void {
    this.#log?.records.push(`${noteOf(this.#log.id)} ${this.#log.records.length}`);
  }

  /**
   * @param forgets - whether the broker forgets the group's offset with the topic, or a late commit has brought it back
   */
  makeAgain(forgets: boolean, records: number): void {
    this.#made++;
    this.#log = { id: idOf(this.#made), records: [] };
    if (forgets) this.#committed = { ...this.#committed, offset: -1n, metadata: null };
    for (let n = 0; n < records; n++) this.produce();
  }

  join(): void {
    this.#next = Math.max(0, Number(this.#committed.offset));
    this.#seek = undefined;
    this.logs.joined({ [TOPIC]: [0] });
  }

  /** Fetches, lets something happen, and takes what was fetched. */
  async fetch(meanwhile: () => void = () => undefined): Promise<void> {
    this.#next = this.#seek ?? this.#next;
    this.#seek = undefined;
    if (this.#log === undefined) return;
    // Out of range: from the beginning.
    if (this.#next > this.#log.records.length) this.#next = 0;
    const at = this.#next;
    const fetched = this.#log.records.slice(at);
    if (fetched.length === 0) return;
    meanwhile();
    const log = await this.logs.logOf(TOPIC, 0);
    if (log === undefined || this.#seek !== undefined) return;
    fetched.forEach((record, n) => this.read.push(`${record} as ${noteOf(log)} ${at + n}`));
    this.#next = at + fetched.length;
    this.#committed = { topic: TOPIC, partition: 0, metadata: noteOf(log), offset: BigInt(this.#next) };
  }
}

const named = (records: readonly string[]): string[] => records.map((record) => `${record} as ${record}`);

describe("SourceLogs", () => {
  it("gives the log's id, and the same after a restart", async () => {
    const fake = new Fake();
    fake.produce();
    for (let n = 0; n < 2; n++) await fake.fetch();
    fake.join();
    fake.produce();
    await fake.fetch();
    expect(fake.read).toEqual(named(fake.records));
  });

  it("reads a topic that was made again from its beginning, though the old offset lies within it", async () => {
    const fake = new Fake();
    for (let n = 0; n < 3; n++) fake.produce();
    for (let n = 0; n < 2; n++) await fake.fetch();
    fake.makeAgain(true, 5);
    for (let n = 0; n < 2; n++) await fake.fetch();
    expect(fake.read.slice(3)).toEqual(named(fake.records));
  });

  it("sees it also when the new topic is just as long, so that nothing is fetched", async () => {
    const fake = new Fake();
    for (let n = 0; n < 3; n++) fake.produce();
    for (let n = 0; n < 2; n++) await fake.fetch();
    fake.makeAgain(true, 3);
    await fake.fetch();
    expect(fake.read).toHaveLength(3);
    await fake.logs.look();
    await fake.fetch();
    expect(fake.read.slice(3)).toEqual(named(fake.records));
  });

  it("sees it after a restart by what stands beside the committed offset", async () => {
    const fake = new Fake();
    for (let n = 0; n < 3; n++) fake.produce();
    for (let n = 0; n < 2; n++) await fake.fetch();
    fake.makeAgain(false, 5);
    fake.join();
    for (let n = 0; n < 2; n++) await fake.fetch();
    expect(fake.read.slice(3)).toEqual(named(fake.records));
  });

  it("asks again when nobody answered", async () => {
    let away = true;
    const logs = new SourceLogs({
      ids: () => (away ? Promise.reject(new Error("away")) : Promise.resolve(new Map([[TOPIC, idOf(1)]]))),
      committed: () => Promise.resolve([]),
      seek: () => undefined,
    });
    logs.joined({ [TOPIC]: [0] });
    await expect(logs.logOf(TOPIC, 0)).rejects.toThrow("away");
    away = false;
    expect(await logs.logOf(TOPIC, 0)).toEqual(idOf(1));
  });

  it("takes a broker without ids as it is", async () => {
    const sought: bigint[] = [];
    const logs = new SourceLogs({
      ids: () => Promise.resolve(new Map([[TOPIC, Buffer.alloc(0)]])),
      committed: () => Promise.resolve([{ topic: TOPIC, partition: 0, offset: 7n, metadata: null }]),
      seek: (_topic, _partition, offset) => sought.push(offset),
    });
    logs.joined({ [TOPIC]: [0] });
    for (let n = 0; n < 3; n++) expect(await logs.logOf(TOPIC, 0)).toEqual(Buffer.alloc(0));
    expect(sought).toEqual([7n]);
    expect(noteOf(Buffer.alloc(0))).toBe("");
  });

  it("never names a wrong log, and misses no record of the last one, whatever happens when", async () => {
    const again = fc.record({ kind: fc.constant("again" as const), forgets: fc.boolean(), records: fc.nat(6) });
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("produce" as const), records: fc.nat(4) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("fetch" as const), meanwhile: fc.option(again) }) },
      { weight: 2, arbitrary: again },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("join" as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("look" as const) }) },
    );
    let madeAgain = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const fake = new Fake();
        for (const one of steps) {
          if (one.kind === "produce") for (let n = 0; n < one.records; n++) fake.produce();
          else if (one.kind === "again") fake.makeAgain(one.forgets, one.records);
          else if (one.kind === "join") fake.join();
          else if (one.kind === "look") await fake.logs.look();
          else await fake.fetch(() => one.meanwhile && fake.makeAgain(one.meanwhile.forgets, one.meanwhile.records));
          if (one.kind === "again") madeAgain++;
        }
        await fake.logs.look();
        for (let n = 0; n < 4; n++) await fake.fetch();
        expect(fake.read.filter((line) => line.split(" as ")[0] !== line.split(" as ")[1])).toEqual([]);
        expect([...new Set(fake.read)].filter((line) => line.startsWith(`${fake.records[0]?.split(" ")[0]} `))).toEqual(
          named(fake.records),
        );
      }),
      { numRuns: 500, seed: 17 },
    );
    expect(madeAgain).toBeGreaterThan(300);
  });
});
