import pc from "picocolors";

import type { ShownAlert, Snapshot } from "../ingress-generator/live-stats.js";
import { amountText } from "../money/amount-text.js";
import { Alert_Kind } from "../protos/gen/fraud/v1/evidence.js";
import { visible } from "../terminal/visible.js";

/** What the view shows beside the run's own figures. */
export interface ClusterGlance {
  /** Flink's job state, such as RUNNING, or "unreachable". */
  readonly jobState: string;
  readonly jobRestarts: number;
  /** Checkpoints completed by this job manager. */
  readonly checkpoints: number;
}

const ms = (value: number | undefined): string =>
  value === undefined ? "–" : value < 10_000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;
const perSecond = (value: number): string => `${Math.round(value)}/s`;

/** The whole view as lines of text, for a terminal that is redrawn. */
export function liveView(run: Snapshot, cluster: ClusterGlance): string {
  const state = cluster.jobState === "RUNNING" ? pc.green(cluster.jobState) : pc.red(cluster.jobState);
  const rows = [
    ["transactions in", `${run.sent}`, perSecond(run.sentPerSecond)],
    ["decisions out", `${run.decided}`, perSecond(run.decidedPerSecond)],
    ["on their way", `${run.waiting}`, ""],
    ["alerts", `${run.alerts}`, ""],
    ["committed latency", `p50 ${ms(run.p50Ms)}`, `p99 ${ms(run.p99Ms)}`],
    ["Flink job", state, `${cluster.checkpoints} checkpoints, ${cluster.jobRestarts} restarts`],
  ] as const;
  return [
    ...rows.map(([name, value, more]) => `  ${pc.dim(name.padEnd(18))} ${pc.bold(value.padEnd(12))} ${more}`),
    "",
    `  ${pc.dim("Last alerts")}`,
    ...(run.lastAlerts.length === 0 ? [`  ${pc.dim("none yet")}`] : run.lastAlerts.map(alertLine)),
    "",
    `  ${pc.dim("Ctrl-C stops everything.")}`,
  ].join("\n");
}

/** The same in one line, for logs and pipes. */
export function liveLine(run: Snapshot, cluster: ClusterGlance): string {
  return `in ${run.sent} (${perSecond(run.sentPerSecond)})  decided ${run.decided} (${perSecond(run.decidedPerSecond)})  alerts ${run.alerts}  committed latency p50 ${ms(run.p50Ms)} p99 ${ms(run.p99Ms)}  job ${cluster.jobState} restarts ${cluster.jobRestarts}`;
}

/** One line of an alert. */
export function alertLine(alert: ShownAlert): string {
  const kind = alert.kind === Alert_Kind.ESCALATED ? pc.red("escalated") : pc.yellow("opened   ");
  const amount = visible(amountText(alert.amountMinor, alert.currency));
  return `  ${kind} ${visible(alert.accountId).padEnd(14)} score ${String(alert.score).padStart(4)}  ${amount.padStart(12)}  ${visible(alert.place).padEnd(20)} ${visible(alert.reasons.join(", "))}`;
}
