import { beforeEach, describe, expect, it } from "vitest";

import type { ProcessActivity } from "../../process/process-activity.js";
import type { ProcessIdentity } from "../../process/process-identity.js";
import type { Heard } from "../processes/probes.js";
import type { Part } from "../settings.js";
import { LATE_MS, ROUND_MS, Watchdog } from "./watchdog.js";

const STOPPED: ProcessActivity = { cpuSeconds: 1, working: false, stopped: true };
const WAITING: ProcessActivity = { cpuSeconds: 1, working: false, stopped: false };

describe("the watchdog", () => {
  let nowMs: number;
  let watched: Map<Part, ProcessIdentity>;
  /** What each part does when it is asked; else it answers. `late`: it answers, after the round. */
  let heard: Partial<Record<Part, Heard | "late">>;
  let late: (() => void)[];
  let activity: ProcessActivity | undefined;
  /** How long a round takes. */
  let roundMs: number;
  let hung: { readonly part: Part; readonly pid: number }[];
  let whileAsking: () => void;
  let watchdog: Watchdog;

  beforeEach(() => {
    nowMs = 0;
    watched = new Map<Part, ProcessIdentity>([
      ["zookeeper", { pid: 1, started: "1" }],
      ["kafka", { pid: 2, started: "1" }],
      ["minio", { pid: 3, started: "1" }],
      ["jobmanager", { pid: 4, started: "1" }],
    ]);
    heard = {};
    late = [];
    activity = STOPPED;
    roundMs = ROUND_MS;
    hung = [];
    whileAsking = () => undefined;
    watchdog = new Watchdog({
      watched: () => new Map(watched),
      probe: (part) => {
        const said = heard[part] ?? "answer";
        if (said === "late")
          return new Promise((resolve) => late.push(() => resolve({ heard: "answer", healthy: true })));
        return Promise.resolve({ heard: said, healthy: said === "answer" });
      },
      activity: () => activity,
      onHang: (part, { pid }) => hung.push({ part, pid }),
      clock: () => nowMs,
      wait: () => {
        whileAsking();
        nowMs += roundMs;
        return Promise.resolve();
      },
    });
  });

  async function rounds(count: number): Promise<void> {
    for (let round = 0; round < count; round++) await watchdog.round();
  }

  it("tells of a part that hangs, by its process, within 12 s, and of no other", async () => {
    await rounds(2);
    heard = { kafka: "silence" };
    // It was asked, answered, and hung at once.
    const since = nowMs - roundMs;
    while (hung.length === 0) await rounds(1);
    expect(hung).toEqual([{ part: "kafka", pid: 2 }]);
    expect(nowMs - since).toBeLessThanOrEqual(12_000);
  });

  it("takes an answer for one however late it comes, and asks on meanwhile", async () => {
    expect(LATE_MS).toBeGreaterThanOrEqual(4 * ROUND_MS);
    activity = WAITING;
    await rounds(1);
    heard = { kafka: "late" };
    for (let times = 0; times < 5; times++) {
      await rounds(4);
      expect(late).toHaveLength(4);
      // To the first of them.
      late[0]!();
      late = [];
    }
    expect(hung).toEqual([]);
    await rounds(5);
    expect(hung).toEqual([{ part: "kafka", pid: 2 }]);
  });

  it("tells of it again, if it lives on", async () => {
    heard = { kafka: "silence" };
    await rounds(9);
    expect(hung).toHaveLength(1);
    await rounds(1);
    expect(hung).toHaveLength(2);
  });

  it("begins anew with another process, and with one that was paused", async () => {
    heard = { kafka: "silence" };
    await rounds(4);
    watched.set("kafka", { pid: 20, started: "2" });
    await rounds(4);
    expect(hung).toEqual([]);
    const kafka = watched.get("kafka")!;
    watched.delete("kafka");
    await rounds(10);
    watched.set("kafka", kafka);
    await rounds(4);
    expect(hung).toEqual([]);
    await rounds(1);
    expect(hung).toEqual([{ part: "kafka", pid: 20 }]);
  });

  it("says nothing of one that was exchanged, paused, or ended while it was asked", async () => {
    heard = { kafka: "silence" };
    await rounds(4);
    whileAsking = () => void watched.set("kafka", { pid: 20, started: "2" });
    await rounds(1);
    whileAsking = () => void watched.delete("kafka");
    await rounds(1);
    expect(hung).toEqual([]);
    whileAsking = () => undefined;
    watched.set("kafka", { pid: 21, started: "3" });
    activity = undefined;
    await rounds(20);
    expect(hung).toEqual([]);
  });

  it("blames nobody for the time in which it was itself held up", async () => {
    activity = WAITING;
    await rounds(1);
    heard = { kafka: "silence" };
    roundMs = 30_000;
    await rounds(10);
    expect(hung).toEqual([]);
    // But for what needs no clock.
    activity = STOPPED;
    await rounds(5);
    expect(hung).toHaveLength(1);
  });

  it("takes a JobManager that waits for a store for none that hangs, until that is there", async () => {
    activity = WAITING;
    await rounds(1);
    for (const store of ["zookeeper", "kafka", "minio"] as const) {
      heard = { jobmanager: "silence", [store]: "silence" };
      await rounds(4);
    }
    expect(hung).toEqual([]);
    heard = { jobmanager: "silence", zookeeper: "silence" };
    await rounds(5);
    expect(hung).toEqual([{ part: "zookeeper", pid: 1 }]);
    heard = { jobmanager: "silence" };
    await rounds(5);
    expect(hung).toEqual([
      { part: "zookeeper", pid: 1 },
      { part: "jobmanager", pid: 4 },
    ]);
  });

  it("goes on after a round in which something went wrong", async () => {
    heard = { kafka: "silence" };
    const end = new AbortController();
    let round = 0;
    whileAsking = () => {
      round++;
      if (round === 3) throw new Error("EMFILE: too many open files");
      if (hung.length > 0) end.abort();
    };
    await watchdog.run(end.signal);
    expect(hung).toEqual([{ part: "kafka", pid: 2 }]);
  });

  it("ends with its signal, and judges nobody by the rounds that it cuts short", async () => {
    heard = { kafka: "silence" };
    await rounds(4);
    const end = new AbortController();
    whileAsking = () => end.abort();
    await watchdog.run(end.signal);
    expect(hung).toEqual([]);
  });
});
