import { stripVTControlCharacters } from "node:util";

/** What a suite counted. A suite that could not start counts as one failure. */
export interface SuiteResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What failed, one per line, as far as a report names it. */
  readonly failures?: readonly string[];
}

/** The counts of vitest's JSON report. */
export function vitestCounts(report: unknown, exitCode: number): SuiteResult {
  const {
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: pending,
    numTodoTests: todo,
    testResults,
  } = (report ?? {}) as Readonly<Record<string, unknown>> & { readonly testResults?: readonly TestFile[] };
  if (typeof passed !== "number" || typeof failed !== "number" || typeof pending !== "number")
    return { passed: 0, failed: 1, skipped: 0 };
  // A file that fails to load, or an error outside any test, fails the run without a failed test.
  const unaccounted = exitCode !== 0 && failed === 0 ? 1 : 0;
  const none = passed + failed + pending === 0 && exitCode === 0 ? 1 : 0;
  const failures = (testResults ?? []).flatMap(({ message, assertionResults }) => [
    ...(message ? [firstLine(message)] : []),
    ...assertionResults
      .filter(({ status }) => status === "failed")
      .map(({ fullName, failureMessages }) => `${fullName}: ${firstLine(failureMessages?.[0] ?? "")}`),
  ]);
  return {
    passed,
    failed: failed + unaccounted + none,
    skipped: pending + (typeof todo === "number" ? todo : 0),
    ...(failures.length > 0 && { failures }),
  };
}

/** The parts of a file in vitest's JSON report that are used. */
interface TestFile {
  /** What failed outside any test. */
  readonly message?: string;
  readonly assertionResults: readonly {
    readonly fullName: string;
    readonly status: string;
    readonly failureMessages?: readonly string[];
  }[];
}

const LINE_LENGTH = 300;

const firstLine = (text: string): string =>
  stripVTControlCharacters(text).trim().split("\n", 1)[0]!.slice(0, LINE_LENGTH);

/** The counts of Maven Surefire's reports, one XML text for each test class. */
export function surefireCounts(reports: readonly string[], exitCode: number): SuiteResult {
  const sums = reports.map((text) => {
    const head = /<testsuite\b[^>]*>/.exec(text)?.[0] ?? "";
    const count = (name: string) => Number(new RegExp(`\\s${name}="(\\d+)"`).exec(head)?.[1] ?? Number.NaN);
    return { tests: count("tests"), failed: count("failures") + count("errors"), skipped: count("skipped") };
  });
  const sum = (part: "tests" | "failed" | "skipped") => sums.reduce((total, one) => total + one[part], 0);
  const [tests, failed, skipped] = [sum("tests"), sum("failed"), sum("skipped")];
  if (!(tests > 0) || Number.isNaN(failed + skipped)) return { passed: 0, failed: 1, skipped: 0 };
  // Code that does not compile, or a virtual machine that crashes, fails the run without a failed test.
  return { passed: tests - failed - skipped, failed: failed + (exitCode !== 0 && failed === 0 ? 1 : 0), skipped };
}

/** The counts of a check that passes as a whole or not at all, such as lint. */
export const checkCounts = (exitCode: number): SuiteResult =>
  exitCode === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };

/** The closing line that people and CI read: `N passed, N failed`, and `, N skipped` when any were. */
export function closingLine(results: readonly SuiteResult[]): string {
  const { passed, failed, skipped } = sumOf(results);
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** Several suites as one. */
export function sumOf(results: readonly SuiteResult[]): SuiteResult {
  const sum = (part: "passed" | "failed" | "skipped") => results.reduce((total, result) => total + result[part], 0);
  const failures = results.flatMap((result) => result.failures ?? []);
  return {
    passed: sum("passed"),
    failed: sum("failed"),
    skipped: sum("skipped"),
    ...(failures.length > 0 && { failures }),
  };
}
