import { describe, expect, it } from "vitest";

import { type Course, figuresOf, limitsOf, ratesOf } from "./figures.js";
import type { Sample } from "./sampler.js";

const MB = 1024 * 1024;

/** Ten minutes of a calm overload: 500 decisions and one checkpoint a second. */
const calm = (change: (second: number) => Partial<Sample> = () => ({})): Sample[] =>
  Array.from({ length: 601 }, (_, second) => ({
    atMs: second * 1000,
    decided: 1000 + second * 500,
    beforeDoor: 0,
    beforeJob: 100_000,
    restarts: 0,
    checkpoints: { completed: second, failed: 0, lastMs: 400, lastBytes: 7 * MB },
    memoryBytes: { taskmanager: 1500 * MB, functions: 200 * MB },
    cpuSeconds: { taskmanager: second, functions: second / 2 },
    connections: 4,
    ...change(second),
  }));
const course: Course = {
  loaded: { fromMs: 0, untilMs: 600_000 },
  watched: { fromMs: 0, untilMs: 600_000 },
  cold: false,
  drainedMs: 200_000,
  calmMs: 210_000,
};
const broken = (samples: Sample[], changes: Partial<Course> = {}): string[] =>
  limitsOf(samples, figuresOf(samples, { ...course, ...changes }), { ...course, ...changes }).flatMap(
    ({ name, held }) => (held ? [] : [name]),
  );

describe("the figures of an overload", () => {
  it("are those of its samples", () => {
    expect(figuresOf(calm(), course)).toMatchObject({
      decidedPerSecond: { min: 500, median: 500, max: 500 },
      slowestShare: 1,
      jobRestarts: 0,
      checkpoints: { completed: 600, failed: 0, failedShare: 0, p50Ms: 400, p99Ms: 400, lastBytes: 7 * MB },
      memory: { taskmanager: { ratio: 1 }, functions: { ratio: 1 } },
      connections: 4,
      cpuMicrosPerDecision: { taskmanager: 2000, functions: 1000 },
    });
    expect(broken(calm())).toEqual([]);
  });

  it("count a second without an answer as part of what took longer, not as nothing", () => {
    const samples = calm((second) => (second % 7 === 3 ? { decided: undefined } : {}) as Partial<Sample>);
    expect(new Set(ratesOf(samples, 10_000).map(Math.round))).toEqual(new Set([500]));
    expect(ratesOf([], 10_000)).toEqual([]);
  });

  it("count the restarts and checkpoints of JobManagers that begin anew", () => {
    const samples = calm((second) =>
      second < 300
        ? { restarts: 0 }
        : { restarts: 1, checkpoints: { completed: second - 300, failed: 0, lastMs: 400, lastBytes: 0 } },
    );
    expect(figuresOf(samples, course)).toMatchObject({ jobRestarts: 1, checkpoints: { completed: 599 } });
    // A JobManager that starts cold begins at zero: what it first counts has really happened.
    expect(
      figuresOf(
        calm(() => ({ restarts: 2 })),
        course,
      ).jobRestarts,
    ).toBe(0);
    expect(
      figuresOf(
        calm(() => ({ restarts: 2 })),
        { ...course, cold: true },
      ).jobRestarts,
    ).toBe(2);
    expect(
      figuresOf(
        calm((second) => ({ restarts: second < 300 ? 3 : 0 })),
        course,
      ).jobRestarts,
    ).toBe(1);
  });
});

describe("a bound of an overload", () => {
  it("is broken by one restart", () => {
    expect(broken(calm((second) => ({ restarts: second > 400 ? 1 : 0 })))).toEqual(["restarts"]);
  });

  it("is broken by checkpoints that fail, and when none completes", () => {
    expect(broken(calm((second) => ({ checkpoints: { completed: second, failed: Math.floor(second / 80) } })))).toEqual(
      ["checkpoints-failed"],
    );
    expect(
      broken(calm((second) => ({ checkpoints: { completed: second, failed: Math.floor(second / 110) } }))),
    ).toEqual([]);
    expect(broken(calm(() => ({ checkpoints: { completed: 0, failed: 0 } })))).toEqual(["checkpoints-failed"]);
  });

  it("is broken by memory that grows, of any part, but not by a small one's noise", () => {
    const grows = (taskmanager: number, functions: number) =>
      calm((second) => ({
        memoryBytes:
          second < 400
            ? { taskmanager: 1500 * MB, functions: 200 * MB }
            : { taskmanager: taskmanager * MB, functions: functions * MB },
      }));
    expect(broken(grows(1500 * 1.06, 200))).toEqual(["memory"]);
    expect(broken(grows(1500 * 1.04, 215))).toEqual([]);
    expect(broken(grows(1500, 240))).toEqual(["memory"]);
    // It gives some back while it has less to do, then takes it again; or takes more than it ever had.
    const rests = (after: number) =>
      calm((second) => ({
        memoryBytes: { taskmanager: 1500 * MB, functions: (second < 150 ? 340 : second < 400 ? 300 : after) * MB },
      }));
    expect(broken(rests(335))).toEqual([]);
    expect(broken(rests(345))).toEqual(["memory"]);
    // Shorter than three minutes it is still filling its caches.
    expect(broken(grows(3000, 200), { loaded: { fromMs: 300_000, untilMs: 450_000 } })).toEqual([]);
  });

  it("is broken by half a minute that decides far less than the best", () => {
    const slower = (share: number) => {
      let decided = 0;
      return calm((second) => ({ decided: (decided += second > 300 && second <= 360 ? 500 * share : 500) }));
    };
    expect(broken(slower(0.5))).toEqual(["throughput"]);
    expect(broken(slower(0.7))).toEqual([]);
    // Java compiles in its first minute.
    let decided = 0;
    const cold = calm((second) => ({ decided: (decided += second < 50 ? 100 : 500) }));
    expect(broken(cold, { cold: true })).toEqual([]);
    expect(broken(cold)).toEqual(["throughput"]);
  });

  it("is broken by a backlog that is not gone in time, or not followed by calm", () => {
    expect(broken(calm(), { drainedMs: undefined, calmMs: undefined })).toEqual(["drained"]);
    expect(broken(calm(), { calmMs: undefined })).toEqual(["drained"]);
  });
});
