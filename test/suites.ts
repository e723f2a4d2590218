/** What a suite counted. A suite that could not start counts as one failure. */
export interface SuiteResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The counts of vitest's JSON report. */
export function vitestCounts(report: unknown, exitCode: number): SuiteResult {
  const { numPassedTests: passed, numFailedTests: failed, numPendingTests: pending, numTodoTests: todo } = (report ?? {}) as Record<string, unknown>;
  if (typeof passed !== "number" || typeof failed !== "number" || typeof pending !== "number") return { passed: 0, failed: 1, skipped: 0 };
  // A file that fails to load, or an error outside any test, fails the run without a failed test.
  const unaccounted = exitCode !== 0 && failed === 0 ? 1 : 0;
  const none = passed + failed + pending === 0 && exitCode === 0 ? 1 : 0;
  return { passed, failed: failed + unaccounted + none, skipped: pending + (typeof todo === "number" ? todo : 0) };
}

/** A check that passes as a whole or not at all, such as lint. */
export const checkCounts = (exitCode: number): SuiteResult => (exitCode === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 });

/** The closing line that people and CI read: `N passed, N failed`, and `, N skipped` when any were. */
export function closingLine(results: readonly SuiteResult[]): string {
  const sum = (part: keyof SuiteResult) => results.reduce((total, result) => total + result[part], 0);
  const skipped = sum("skipped");
  return `${sum("passed")} passed, ${sum("failed")} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
