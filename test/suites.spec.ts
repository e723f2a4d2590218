import { describe, expect, it } from "vitest";

import { checkCounts, closingLine, vitestCounts } from "./suites.js";

const report = (numPassedTests: number, numFailedTests: number, numPendingTests = 0) => ({ numPassedTests, numFailedTests, numPendingTests, numTodoTests: 0 });

describe("the closing line", () => {
  it("adds up what the suites counted", () => {
    expect(closingLine([checkCounts(0), vitestCounts(report(10, 0), 0)])).toBe("11 passed, 0 failed");
    expect(closingLine([checkCounts(2), vitestCounts(report(10, 1, 3), 1)])).toBe("10 passed, 2 failed, 3 skipped");
  });

  it("counts a suite that did not run as failed", () => {
    expect(vitestCounts(undefined, 1)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(vitestCounts(report(0, 0), 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it("counts a failure outside any test", () => {
    expect(vitestCounts(report(10, 0), 1)).toEqual({ passed: 10, failed: 1, skipped: 0 });
  });
});
