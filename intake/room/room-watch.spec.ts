import { describe, expect, it } from "vitest";

import type { LogDirs } from "../../kafka/log-dirs.js";
import { RoomWatch, type RoomWatchOptions } from "./room-watch.js";

const GB = 1e9;
const dirs = (freeBytes = GB): LogDirs => ({
  logBytes: new Map([
    ["labels.valid/0", 1e6],
    ["transactions.valid/0", 800e6],
    ["transactions.valid/1", 100e6],
    ["decisions/0", 7],
  ]),
  disk: { totalBytes: 10 * GB, freeBytes },
});
/** How much of one partition waits. */
const lag = (partition: number, offsets: bigint, records: bigint) => ({
  group: "fraud-pipeline",
  topic: "transactions.valid",
  partition,
  from: 0n,
  offsets,
  records,
});

function watching(options: Partial<RoomWatchOptions> = {}) {
  const clock = { nowMs: 0 };
  const watch = new RoomWatch({
    lag: () => Promise.resolve([lag(0, 1n, 4n), lag(1, 100n, 100n)]),
    logDirs: () => Promise.resolve(dirs()),
    retentionBytes: () => Promise.resolve(new Map([["transactions.valid", GB]])),
    minFreeBytes: 0.5 * GB,
    nowMs: () => clock.nowMs,
    ...options,
  });
  return { watch, clock };
}

describe("the watch over Kafka's room", () => {
  it("knows the sizes of logs, and what share of a partition's bound waits", async () => {
    const { watch } = watching();
    expect(watch.figures).toBeUndefined();
    await watch.sample();
    expect(watch.shortage).toBeUndefined();
    expect(watch.figures!.undecidedShare).toBeCloseTo(0.2);
    expect(watch.figures!.disk).toEqual({ totalBytes: 10 * GB, freeBytes: GB });
    expect([...watch.figures!.logBytes]).toEqual([
      ["labels.valid", 1e6],
      ["transactions.valid", 900e6],
      ["decisions", 7],
    ]);
  });

  it("says so when undecided records take more than half of what is kept", async () => {
    const { watch } = watching({ lag: () => Promise.resolve([lag(0, 3n, 4n)]) });
    await watch.sample();
    expect(watch.shortage?.cause).toContain("600 MB of transactions.valid wait to be decided");
  });

  it("has no bound for a topic without one", async () => {
    const { watch } = watching({
      lag: () => Promise.resolve([lag(0, 4n, 4n)]),
      retentionBytes: () => Promise.resolve(new Map()),
    });
    await watch.sample();
    expect(watch.shortage).toBeUndefined();
    expect(watch.figures!.undecidedShare).toBe(0);
  });

  it("keeps what it knew for a while when the broker does not answer, and turns nobody away for what it does not know", async () => {
    let logDirs = () => Promise.resolve<LogDirs | undefined>(dirs(0.4 * GB));
    const { watch, clock } = watching({ logDirs: () => logDirs() });
    await watch.sample();
    expect(watch.shortage?.cause).toContain("400 MB are free");
    logDirs = () => Promise.reject(new Error("no broker"));
    clock.nowMs = 15_000;
    await watch.sample();
    expect(watch.shortage).toBeDefined();
    clock.nowMs = 15_001;
    await watch.sample();
    expect(watch.shortage).toBeUndefined();
    expect(watch.figures).toBeUndefined();
  });
});
