import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { partitionKey } from "../../kafka/log-dirs.js";
import { LogCutter } from "./log-cutter.js";

const TOPIC = "transactions";
const CHECK_MS = 10_000;
const SEGMENT_RECORDS = 10;
const RECORD_BYTES = 100;
const BOUND_RECORDS = 40;
/** After that the broker has freed what it can. */
const SETTLED_MS = 2 * CHECK_MS + 30_000;
/** The doors have nothing in this log. */
const NOTHING = -1n;

/** One partition of a broker that, as Kafka does, frees whole segments, and only when it looks. */
class Log {
  begin = 0;
  end = 0;
  taken = NOTHING;
  /** The first offset of the oldest segment that is on the disk. */
  #onDisk = 0;

  get bytes(): number {
    return (this.end - this.#onDisk) * RECORD_BYTES;
  }

  check(): void {
    // All but the last segment.
    while (this.#onDisk + SEGMENT_RECORDS <= this.begin && this.#onDisk + SEGMENT_RECORDS < this.end)
      this.#onDisk += SEGMENT_RECORDS;
  }
}

function cutting({ partitions = 1, cutters = 1 } = {}) {
  const clock = { nowMs: 0 };
  const logs = Array.from({ length: partitions }, () => new Log());
  const cuts: { partition: number; from: number; to: number; kept: number; taken: bigint }[] = [];
  const counted: number[] = [];
  const errors: string[] = [];
  const broker = { away: false, refusing: undefined as number | undefined, silent: false, asked: 0 };
  const make = (): LogCutter =>
    new LogCutter({
      kept: () =>
        broker.away
          ? Promise.reject(new Error("no broker"))
          : Promise.resolve({
              checkMs: CHECK_MS,
              logs: logs.map(({ begin, end, bytes }, partition) => ({
                topic: TOPIC,
                partition,
                begin: BigInt(begin),
                end: BigInt(end),
                bytes,
                segmentBytes: SEGMENT_RECORDS * RECORD_BYTES,
                boundBytes: BOUND_RECORDS * RECORD_BYTES,
              })),
            }),
      taken: () => {
        broker.asked++;
        return Promise.resolve(
          new Map(
            logs.flatMap(({ taken }, partition) =>
              taken === NOTHING ? [] : [[partitionKey(TOPIC, partition), taken] as const],
            ),
          ),
        );
      },
      cut: (_, partition, offset) => {
        if (broker.refusing === partition) return Promise.reject(new Error(`not now: ${partition}`));
        const log = logs[partition]!;
        const to = Number(offset);
        cuts.push({ partition, from: log.begin, to, kept: log.end - to, taken: log.taken });
        log.begin = Math.max(log.begin, to);
        return broker.silent ? Promise.reject(new Error("no answer")) : Promise.resolve();
      },
      onCut: (_, offsets) => counted.push(offsets),
      onError: ({ message }) => errors.push(message),
      nowMs: () => clock.nowMs,
    });
  const all = Array.from({ length: cutters }, make);
  const look = async (afterMs = 0): Promise<void> => {
    clock.nowMs += afterMs;
    for (const one of all) await one.look();
  };
  return { logs, log: logs[0]!, cuts, counted, errors, broker, look, restart: () => void (all[0] = make()) };
}

const write = (log: Log, records: number): void => {
  log.end += records;
  log.taken = BigInt(log.end);
};

describe("what cuts the logs where strangers write", () => {
  it("cuts what is beyond the bound once it has stood still, and counts it", async () => {
    const { log, cuts, counted, look } = cutting();
    write(log, 60);
    await look();
    await look(SETTLED_MS);
    expect(cuts).toEqual([]);
    await look(1);
    expect(cuts).toMatchObject([{ from: 0, to: 12, kept: 48 }]);
    expect(counted).toEqual([12]);
  });

  it("asks for no more as long as the broker may not have freed what was asked for", async () => {
    const { log, cuts, look } = cutting();
    write(log, 60);
    await look();
    await look(SETTLED_MS + 1);
    for (let seconds = 0; seconds <= SETTLED_MS / 1_000; seconds += 10) await look(10_000);
    // The broker never looked, and its log is as large as before.
    expect(cuts).toHaveLength(1);
    log.check();
    await look(SETTLED_MS);
    await look(SETTLED_MS);
    expect(cuts).toHaveLength(1);
  });

  it("does not ask how far the doors have come as long as nothing is to be cut", async () => {
    const { log, broker, look } = cutting();
    write(log, 50);
    await look();
    await look(SETTLED_MS + 1);
    expect(broker.asked).toBe(0);
  });

  it("waits anew when the broker was away, as it frees nothing then, and says once that it was", async () => {
    const { log, cuts, errors, broker, look } = cutting();
    write(log, 60);
    await look();
    broker.away = true;
    await look(SETTLED_MS);
    await look(1);
    broker.away = false;
    await look(1);
    await look(SETTLED_MS);
    expect(cuts).toEqual([]);
    expect(errors).toEqual(["no broker"]);
    await look(1);
    expect(cuts).toHaveLength(1);
  });

  it("waits as well when the broker has cut and not said so", async () => {
    const { log, cuts, counted, errors, broker, look } = cutting();
    write(log, 60);
    await look();
    broker.silent = true;
    await look(SETTLED_MS + 1);
    await look(1);
    await look(SETTLED_MS);
    expect(cuts).toHaveLength(1);
    expect(counted).toEqual([]);
    expect(errors).toEqual(["no answer"]);
  });

  it("goes on with others when the broker refuses one", async () => {
    const { logs, cuts, errors, broker, look } = cutting({ partitions: 2 });
    for (const log of logs) write(log, 60);
    broker.refusing = 0;
    await look();
    await look(SETTLED_MS + 1);
    await look(10_000);
    expect(cuts).toMatchObject([{ partition: 1, to: 12 }]);
    broker.refusing = undefined;
    await look(SETTLED_MS + 1);
    expect(cuts).toMatchObject([{ partition: 1 }, { partition: 0, to: 12 }]);
    expect(errors).toEqual(["not now: 0"]);
  });

  it("never cuts what was not taken in, and never below the bound, whoever writes, takes, restarts and cuts as well", async () => {
    const step = fc.oneof(
      fc.record({ write: fc.integer({ min: 1, max: 80 }) }),
      fc.record({ take: fc.integer({ min: 1, max: 100 }) }),
      fc.record({ waitMs: fc.integer({ min: 1, max: 2 * SETTLED_MS }) }),
      fc.constant({ restart: true }),
      fc.constant({ away: true }),
    );
    const steps = fc.array(step, { maxLength: 40 });
    // Every other case has a cut in any event.
    const cutFirst = steps.map((others) => [{ write: 80 }, { take: 80 }, { waitMs: 2 * SETTLED_MS }, ...others]);
    let cut = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(steps, cutFirst), fc.integer({ min: 1, max: 2 }), async (steps, cutters) => {
        const { log, cuts, broker, look, restart } = cutting({ cutters });
        for (const one of steps) {
          if ("write" in one) log.end += one.write;
          else if ("take" in one)
            log.taken = BigInt(Math.min(log.end, Math.max(Number(log.taken), log.begin) + one.take));
          else if ("restart" in one) restart();
          else if ("away" in one) broker.away = !broker.away;
          else
            for (let leftMs = one.waitMs; leftMs > 0; leftMs -= CHECK_MS) {
              await look(Math.min(leftMs, CHECK_MS));
              if (!broker.away) log.check();
            }
          await look();
        }
        for (const { from, to, kept, taken } of cuts) {
          expect(to).toBeGreaterThan(from);
          expect(BigInt(to)).toBeLessThanOrEqual(taken);
          expect(kept).toBeGreaterThanOrEqual(BOUND_RECORDS);
        }
        cut += cuts.length;
        // Once all is taken in, the bound holds, but for a segment. Just above it, each cut takes a single record, and
        // comes with every second look.
        broker.away = false;
        log.taken = BigInt(log.end);
        for (let [idle, before] = [0, cuts.length]; idle < 3; before = cuts.length) {
          await look(SETTLED_MS + 1);
          log.check();
          idle = cuts.length === before ? idle + 1 : 0;
        }
        expect(log.bytes).toBeLessThan((BOUND_RECORDS + 1 + SEGMENT_RECORDS) * RECORD_BYTES);
      }),
      { numRuns: 300 },
    );
    expect(cut).toBeGreaterThan(50);
  });
});
