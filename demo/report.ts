import pc from "picocolors";

import type { Machine } from "../terminal/json-report.js";
import type { Violation } from "../verifier/judge.js";

/** The report of a bounded run, `reports/demo.json` by default. Field names are stable. */
export interface DemoReport {
  readonly runId: string;
  readonly seed: number;
  /** Transactions a second that were asked for. */
  readonly rate: number;
  readonly accounts: number;
  /** Transactions before the run that no figure counts. */
  readonly warmUp: number;
  readonly startedAt: string;
  readonly sent: number;
  /** Committed decision records of the run. */
  readonly decisions: number;
  readonly duplicates: number;
  readonly missing: number;
  readonly outOfOrder: number;
  /** Transactions that a function refused. */
  readonly rejected: number;
  /** Episodes opened and escalated. */
  readonly alerts: number;
  /** From when a transaction was due to when a `read_committed` reader had its decision. Milliseconds. */
  readonly committedLatencyMs: { readonly p50: number; readonly p99: number };
  /** From the first transaction's due time to the last decision's arrival. */
  readonly throughputPerSecond: number;
  /** Restarts of the Flink job that its JobManager has counted. */
  readonly jobRestarts: number;
  /** The first rules found broken, and by which record. */
  readonly violations: readonly Violation[];
  readonly machine: Machine;
}

/** The report in a few lines, for people. */
export function summary(report: DemoReport, file: string): string {
  const { sent, decisions, missing, duplicates, outOfOrder, rejected, alerts, committedLatencyMs: latency } = report;
  const good = isGood(report);
  return [
    `${good ? pc.green("✔") : pc.red("✘")} ${sent} sent, ${decisions} decided, ${missing} missing, ${duplicates} repeated, ${outOfOrder} out of account order${rejected > 0 ? `, ${rejected} rejected` : ""}`,
    `  ${alerts} alerts; committed latency p50 ${latency.p50} ms, p99 ${latency.p99} ms; ${report.throughputPerSecond} decisions/s; ${report.jobRestarts} job restarts`,
    ...report.violations.map(({ property, what }) => `  ${pc.red(property)}: ${what}`),
    `  ${pc.dim(`read with Kafka's Java consumer, read_committed; report: ${file}`)}`,
  ].join("\n");
}

/** Whether every transaction sent has exactly one decision, in account order. */
export function isGood({ sent, decisions, missing, duplicates, outOfOrder, violations }: DemoReport): boolean {
  return decisions === sent && missing === 0 && duplicates === 0 && outOfOrder === 0 && violations.length === 0;
}
