import { describe, expect, it } from "vitest";

import { ALL_ACCOUNTS, PHASES } from "./cells.js";
import type { LatencyFigures } from "./hops.js";
import { pageOf } from "./page.js";
import { QUICK } from "./plan.js";
import {
  type Figures,
  noFigures,
  type PipelineOptions,
  reportOf,
  type SustainedTrial,
  summaryLine,
  type Trial,
} from "./report.js";
import { KEYS } from "./transactions.js";
import { VARIANT_NAMES } from "./variants/variants.js";

const OPTIONS: PipelineOptions = {
  variants: VARIANT_NAMES,
  accounts: ALL_ACCOUNTS,
  keys: KEYS,
  only: PHASES,
  rounds: 3,
  quick: true,
  backlog: 15_000,
  p99: 2_000,
  stateBackend: undefined,
};
const NOTHING = noFigures();
const trial = (round: number, fields: Partial<Trial> = {}): Trial => ({
  variant: "batching",
  accounts: 5_000,
  keys: "uniform",
  round,
  ...fields,
});
const found = (
  round: number,
  perSecond: number,
  notHeld: number | null,
  fields: Partial<Trial> = {},
): SustainedTrial => ({
  ...trial(round, fields),
  perSecond,
  notHeld,
  committedMs: perSecond === 0 ? null : { p50: perSecond / 10, p99: perSecond / 5 },
  collapsed: false,
});
const latencies = (firstVisible: number): LatencyFigures => {
  const each = (p50: number) => ({ p50, p99: 3 * p50 });
  return {
    decisions: 100,
    firstVisibleMs: each(firstVisible),
    committedMs: each(500),
    hopsMs: { counted: each(5), merchant: each(2), scored: each(2), visible: each(6), committed: each(480) },
  };
};
const reported = (figures: Partial<Figures>) => reportOf(OPTIONS, QUICK, { ...NOTHING, ...figures }, 60);

describe("the report", () => {
  it("has a row for each pipeline and load: the median, the least and the most of the rounds", () => {
    const { sustained } = reported({
      trials: [
        found(1, 3_000, 3_600),
        found(1, 400, 480, { variant: "async" }),
        found(1, 2_000, null, { keys: "zipf" }),
        found(1, 1_000, null, { accounts: 1_000_000 }),
        found(2, 2_600, 2_900),
        found(3, 2_800, 3_100),
      ],
    });
    expect(sustained.map(({ variant, accounts, keys, perSecond }) => [variant, accounts, keys, perSecond])).toEqual([
      ["batching", 5_000, "uniform", 2_800],
      ["async", 5_000, "uniform", 400],
      ["batching", 5_000, "zipf", 2_000],
      ["batching", 1_000_000, "uniform", 1_000],
    ]);
    expect(sustained[0]).toMatchObject({
      rounds: { min: 2_600, median: 2_800, max: 3_000, count: 3 },
      committedMs: { p50: 280, p99: 560 },
      notHeld: 2_900,
    });
  });

  it("adds up the pipeline's parts, without those that measure", () => {
    const cpu = (round: number, part: string, perTransaction: number) => ({
      ...trial(round),
      phase: "sustained" as const,
      part,
      perTransaction,
    });
    const { sustained } = reported({
      trials: [found(1, 3_000, null), found(2, 3_000, null)],
      cpuMicros: [cpu(1, "kafka", 100), cpu(1, "taskmanager", 200), cpu(1, "load", 50), cpu(2, "kafka", 140)],
    });
    expect(sustained[0]!.cpuMicros).toEqual({ min: 140, median: 220, max: 300 });
  });

  it("says how many times as much ours does of the same load", () => {
    const { summary } = reported({
      trials: [
        found(1, 3_000, null),
        found(1, 400, null, { variant: "workshop" }),
        found(1, 0, 50, { variant: "async" }),
      ],
      drains: [4_000, 1_000].map((perSecond, n) => ({
        ...trial(1, n === 0 ? {} : { variant: "workshop" }),
        perSecond,
        seconds: 20,
        firstSeconds: 8,
        waited: 15_000,
        decided: 15_000,
      })),
    });
    expect(summary.map(({ variant, oursTimes }) => [variant, oursTimes])).toEqual([
      ["batching", { sustained: 1, drain: 1 }],
      ["workshop", { sustained: 7.5, drain: 4 }],
      ["async", { sustained: null, drain: null }],
    ]);
    expect(summaryLine(summary[1]!)).toContain("workshop");
  });

  it("has ours' latencies at half of what it holds, and beside them those without transactions", () => {
    const latency = (share: number, fields: Partial<Trial>, firstVisible: number) => ({
      ...trial(1, fields),
      share,
      throughIntake: false,
      perSecond: 1_500,
      cpuMicros: { kafka: 100 },
      ...latencies(firstVisible),
    });
    const report = reported({
      latency: [
        latency(0.5, { variant: "async" }, 90),
        latency(0.1, {}, 10),
        latency(0.5, {}, 20),
        latency(0.8, {}, 40),
        { ...latency(0.5, {}, 60), throughIntake: true },
        latency(0.5, { variant: "at-least-once" }, 15),
      ],
    });
    expect(report.firstVisibleMs).toEqual({ p50: 20, p99: 60 });
    expect(report.guarantees.map(({ guarantee, firstVisibleMs }) => [guarantee, firstVisibleMs.p50])).toEqual([
      ["exactly-once", 20],
      ["at-least-once", 15],
    ]);
  });

  it("is a page, with much or with nothing to show, and says what was left out", () => {
    expect(pageOf(reported({})).text).toContain("The pipeline beside its peers");
    const { text } = pageOf(
      reported({
        trials: [found(1, 3_000, null)],
        problems: [{ ...trial(1, { variant: "workshop" }), what: "it <died>" }],
        skipped: [{ ...trial(1, { keys: "zipf" }), why: "the time for the whole was over" }],
        starts: [
          { ...trial(1), seconds: 19.5 },
          { ...trial(1, { variant: "async" }), seconds: 21 },
        ],
        recovery: [{ ...trial(1), perSecond: 1_500, firstDecisionSeconds: 8.25, caughtUpSeconds: null }],
        state: [
          {
            ...trial(1),
            backend: "hashmap",
            checkpoints: {
              count: 10,
              durationMs: { p50: 120, max: 300 },
              stateBytes: 4_560_000,
              writtenBytes: 4_560_000,
            },
            heapBytes: "unreachable",
            residentBytes: { taskmanager: 1_800_000_000 },
            accountsFilled: null,
            decided: 120_000,
          },
          {
            ...trial(1, { accounts: 1_000_000 }),
            backend: "rocksdb",
            checkpoints: null,
            heapBytes: 700_000_000,
            residentBytes: {},
            accountsFilled: 1_000_000,
            decided: 1_100_000,
          },
        ],
        health: [
          { ...trial(1), phase: "load", restarts: 0, failedCheckpoints: "unreachable", completedCheckpoints: 80 },
        ],
        exactlyOnce: [{ ...trial(1), sent: 120_000, missing: null, duplicates: 0 }],
        latency: [
          {
            ...trial(1),
            share: 0.5,
            throughIntake: true,
            perSecond: 1_500,
            cpuMicros: { kafka: 100 },
            ...latencies(20),
          },
        ],
      }),
    );
    for (const shown of [
      "8.25",
      "not in time",
      "120 / 300",
      "4.6",
      "1,000,000",
      "20 / 60",
      "480 / 1440",
      "not waited for",
    ])
      expect(text).toContain(shown);
    expect(text).toContain("workshop, round 1: it &lt;died&gt;");
    expect(text).toContain("zipf keys, round 1: the time for the whole was over");
  });
});
