import { describe, expect, it } from "vitest";

import { checkCounts, closingLine, surefireCounts, vitestCounts } from "./suites.js";

const report = (numPassedTests: number, numFailedTests: number, numPendingTests = 0) => ({
  numPassedTests,
  numFailedTests,
  numPendingTests,
  numTodoTests: 0,
});

const surefire = (tests: number, failures: number, errors: number, skipped: number) =>
  `<?xml version="1.0"?>\n<testsuite name="A" time="1.5" tests="${tests}" errors="${errors}" skipped="${skipped}" failures="${failures}">\n</testsuite>`;

describe("the closing line", () => {
  it("adds up what the suites counted", () => {
    expect(closingLine([checkCounts(0), vitestCounts(report(10, 0), 0)])).toBe("11 passed, 0 failed");
    expect(closingLine([checkCounts(2), vitestCounts(report(10, 1, 3), 1)])).toBe("10 passed, 2 failed, 3 skipped");
  });

  it("counts a suite that did not run as failed", () => {
    expect(vitestCounts(undefined, 1)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(vitestCounts(report(0, 0), 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it("names what failed, one per line", () => {
    const testResults = [
      { message: "", assertionResults: [{ fullName: "adds up", status: "passed", failureMessages: [] }] },
      {
        message: "\u001b[31mcould not be loaded\u001b[39m\n at a line",
        assertionResults: [{ fullName: "adds up", status: "failed", failureMessages: ["expected 1 to be 2\n at"] }],
      },
    ];
    expect(vitestCounts({ ...report(1, 1), testResults }, 1).failures).toEqual([
      "could not be loaded",
      "adds up: expected 1 to be 2",
    ]);
  });

  it("counts a failure outside any test", () => {
    expect(vitestCounts(report(10, 0), 1)).toEqual({ passed: 10, failed: 1, skipped: 0 });
    expect(surefireCounts([surefire(10, 0, 0, 0)], 1)).toEqual({ passed: 10, failed: 1, skipped: 0 });
  });

  it("adds up Surefire's classes, and counts none at all, or what it cannot read, as a failure", () => {
    expect(surefireCounts([surefire(10, 1, 2, 3), surefire(5, 0, 0, 0)], 1)).toEqual({
      passed: 9,
      failed: 3,
      skipped: 3,
    });
    expect(surefireCounts([], 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(surefireCounts([surefire(5, 0, 0, 0), "cut off"], 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});
