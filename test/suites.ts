/** What a suite counted. A suite that could not start counts as one failure. */
export interface SuiteResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The counts of vitest's JSON report. */
export function vitestCounts(report: unknown, exitCode: number): SuiteResult {
  const {
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: pending,
    numTodoTests: todo,
  } = (report ?? {}) as Record<string, unknown>;
  if (typeof passed !== "number" || typeof failed !== "number" || typeof pending !== "number")
    return { passed: 0, failed: 1, skipped: 0 };
  // A file that fails to load, or an error outside any test, fails the run without a failed test.
  const unaccounted = exitCode !== 0 && failed === 0 ? 1 : 0;
  const none = passed + failed + pending === 0 && exitCode === 0 ? 1 : 0;
  return { passed, failed: failed + unaccounted + none, skipped: pending + (typeof todo === "number" ? todo : 0) };
}

/** The counts of Maven Surefire's reports, one text of XML for each class of tests. */
export function surefireCounts(reports: readonly string[], exitCode: number): SuiteResult {
  const sums = reports.map((text) => {
    const head = /<testsuite\b[^>]*>/.exec(text)?.[0] ?? "";
    const count = (name: string) => Number(new RegExp(`\\s${name}="(\\d+)"`).exec(head)?.[1] ?? Number.NaN);
    return { tests: count("tests"), failed: count("failures") + count("errors"), skipped: count("skipped") };
  });
  const sum = (part: "tests" | "failed" | "skipped") => sums.reduce((total, one) => total + one[part], 0);
  const [tests, failed, skipped] = [sum("tests"), sum("failed"), sum("skipped")];
  if (!(tests > 0) || Number.isNaN(failed + skipped)) return { passed: 0, failed: 1, skipped: 0 };
  // What does not compile, or a virtual machine that ends, fails the run without a failed test.
  return { passed: tests - failed - skipped, failed: failed + (exitCode !== 0 && failed === 0 ? 1 : 0), skipped };
}

/** A check that passes as a whole or not at all, such as lint. */
export const checkCounts = (exitCode: number): SuiteResult =>
  exitCode === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };

/** The closing line that people and CI read: `N passed, N failed`, and `, N skipped` when any were. */
export function closingLine(results: readonly SuiteResult[]): string {
  const { passed, failed, skipped } = sumOf(results);
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** Several suites as one. */
export function sumOf(results: readonly SuiteResult[]): SuiteResult {
  const sum = (part: keyof SuiteResult) => results.reduce((total, result) => total + result[part], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}
