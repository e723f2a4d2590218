import { describe, expect, it } from "vitest";

import type { FaultKind } from "./faults.js";
import { pageOf, reportOf } from "./report.js";
import type { FailoverResult, FaultRecord } from "./run.js";

const fault = (kind: FaultKind, more: Partial<FaultRecord>): FaultRecord => ({
  kind,
  description: kind,
  atMs: 1_000,
  lastedMs: 0,
  recoveryMs: 9_000,
  acceptedMs: 10,
  committedP99Ms: 2_000,
  jobRestarts: 0,
  replaced: [],
  ...more,
});

/** A run in which everything else is right. */
const result = (...faults: FaultRecord[]): FailoverResult => ({
  verification: {
    verdict: "pass",
    accepted: 0,
    rejected: 0,
    decisions: 0,
    missing: 0,
    duplicates: 0,
    outOfOrder: 0,
    mismatches: 0,
    decisionsByLogicVersion: {},
    properties: [],
  },
  acknowledged: [],
  watch: { committedAtMs: new Float64Array(0) } as FailoverResult["watch"],
  acceptedAtMs: new Float64Array(0),
  k6ExitCode: 0,
  k6Summary: "",
  startedAtMs: 0,
  faults,
  overloads: [],
  problems: [],
  calmP99Ms: 1,
  unableToCommit: [],
});

const options = { kinds: [], rate: 1, duration: 1, seed: 7, runId: "r", onProgress: () => undefined };
const problems = (...faults: FaultRecord[]): readonly string[] => {
  const report = reportOf(result(...faults), options);
  expect(report.verdict).toBe(report.problems.length === 0 ? "pass" : "fail");
  return report.problems;
};

describe("what the watchdog replaced, in the report", () => {
  it("is what hung, once and in time, and nothing else", () => {
    expect(
      problems(
        fault("hang-kafka", { lastedMs: 14_900, replaced: ["kafka"] }),
        fault("busy-machine", { lastedMs: 40_000 }),
        fault("pause-kafka", { lastedMs: 12_000 }),
      ),
    ).toEqual([]);
  });

  it.each<[string, FaultRecord]>([
    [
      "busy-machine: the watchdog replaced taskmanager, which did not hang",
      fault("busy-machine", { replaced: ["taskmanager"] }),
    ],
    ["overload: the watchdog replaced kafka, which did not hang", fault("overload", { replaced: ["kafka"] })],
    ["pause-kafka: the watchdog replaced kafka, which did not hang", fault("pause-kafka", { replaced: ["kafka"] })],
    ["hang-kafka: the watchdog did not replace kafka", fault("hang-kafka", {})],
    [
      "hang-kafka: the watchdog replaced kafka, which did not hang",
      fault("hang-kafka", { replaced: ["kafka", "kafka"] }),
    ],
    [
      "hang-kafka: kafka was replaced after 15.1 s, not within 15.0 s",
      fault("hang-kafka", { lastedMs: 15_100, replaced: ["kafka"] }),
    ],
  ])("fails the run: %s", (problem, wrong) => {
    expect(problems(wrong)).toEqual([problem]);
  });

  it("stands on the page, and so does what else went wrong", () => {
    const wrong = { ...result(fault("busy-machine", { replaced: ["intake"] })), problems: ["k6 ended"] };
    const report = reportOf(wrong, options);
    expect(report.problems).toEqual(["k6 ended", "busy-machine: the watchdog replaced intake, which did not hang"]);
    expect(pageOf(report, wrong).text).toMatch(/<td[^>]*>intake<\/td>/);
  });
});
