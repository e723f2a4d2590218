import type { Transport } from "../../cluster/transports.js";
import { quantile } from "../../contract/quantile.js";
import { html, type Html, table, resultLine } from "../../terminal/html.js";
import { type Machine, thisMachine } from "../../terminal/json-report.js";
import { timeline } from "../../terminal/timeline.js";
import { propertiesSection } from "../../verifier/result-page.js";
import { resultText } from "../../verifier/result-text.js";
import type { Verification } from "../../verifier/verify.js";
import { type FaultKind, faultOf, FAULTS, REPLACED_WITHIN_MS } from "./faults.js";
import type { Limit } from "./figures.js";
import { overloadSections } from "./overload-page.js";
import type { OverloadRecord } from "./overload.js";
import type { FailoverOptions, FailoverResult, FaultRecord, UncommittedLine } from "./run.js";

/** `reports/failover.json`. Field names are stable. */
export interface FailoverReport extends Verification {
  readonly runId: string;
  /** What the parts ran as: processes or containers. */
  readonly where: "processes" | "containers";
  /** Every kind of fault that was asked for and can be injected there. */
  readonly kinds: readonly FaultKind[];
  /** How StateFun called the functions. */
  readonly transport: Transport;
  readonly seed: number;
  readonly rate: number;
  readonly duration: number;
  /** Transactions that the intake acknowledged to k6. */
  readonly acknowledged: number;
  readonly faults: readonly FaultRecord[];
  readonly overloads: readonly OverloadRecord[];
  /** Bounds of the overloads that were broken: each fails the run. */
  readonly brokenLimits: readonly (Limit & { readonly kind: FaultKind })[];
  /** What else went wrong: each fails the run. */
  readonly problems: readonly string[];
  /** Kinds that were asked for but did not fit into the run. */
  readonly notFitted: readonly FaultKind[];
  /** From a fault to the first committed decision of a transaction that was accepted after it. */
  readonly recoveryMs: { readonly p50: number; readonly max: number };
  /** The same for killed processes only. */
  readonly killRecoveryMs: { readonly p50: number; readonly max: number };
  /** The 99th percentile of committed latencies before the first fault. */
  readonly calmP99Ms: number;
  readonly unableToCommit: readonly UncommittedLine[];
  /** Whether every threshold of k6 held. */
  readonly thresholds: "passed" | "failed";
  readonly machine: Machine;
}

export function reportOf(
  result: FailoverResult,
  { runId, where = "processes", transport = "batching", seed, rate, duration, kinds }: FailoverOptions,
): FailoverReport {
  const {
    verification,
    acknowledged: batches,
    faults,
    overloads,
    problems: wrong,
    calmP99Ms,
    unableToCommit,
    k6ExitCode,
  } = result;
  const acknowledged = batches.reduce((sum, { count }) => sum + count, 0);
  const brokenLimits = overloads.flatMap(({ kind, limits }) =>
    limits.filter(({ held }) => !held).map((limit) => ({ kind, ...limit })),
  );
  // The verifier knows of no acknowledgements for what Kafka took.
  const sent = overloads.reduce((sum, overload) => sum + overload.sent, 0);
  const lost = acknowledged + sent - verification.accepted - verification.rejected;
  if (sent > 0 && lost > 0)
    brokenLimits.push({
      kind: overloads[0]!.kind,
      name: "accepted",
      what: `at least ${lost} transactions that Kafka or the intake took were not accepted`,
      held: false,
    });
  const problems = [...wrong, ...faults.flatMap(replacementProblems)];
  const good =
    verification.verdict === "pass" && k6ExitCode === 0 && brokenLimits.length === 0 && problems.length === 0;
  return {
    ...verification,
    verdict: good ? "pass" : "fail",
    runId,
    where,
    kinds,
    transport,
    seed,
    rate,
    duration,
    acknowledged,
    faults,
    overloads,
    brokenLimits,
    problems,
    notFitted: kinds.filter((kind) => faults.every((fault) => fault.kind !== kind)),
    recoveryMs: spread(faults),
    killRecoveryMs: spread(faults.filter(({ kind }) => isKill(kind))),
    calmP99Ms,
    unableToCommit,
    thresholds: k6ExitCode === 0 ? "passed" : "failed",
    machine: thisMachine(),
  };
}

/** The watchdog replaces what hangs, in time, and nothing else, however busy the machine is. */
function replacementProblems({ kind, lastedMs, replaced }: FaultRecord): string[] {
  const { hangs } = faultOf(kind);
  const at = hangs === undefined ? -1 : replaced.indexOf(hangs);
  const others = replaced.filter((_, n) => n !== at);
  return [
    ...others.map((part) => `${kind}: the watchdog replaced ${part}, which did not hang`),
    ...(hangs !== undefined && !replaced.includes(hangs) ? [`${kind}: the watchdog did not replace ${hangs}`] : []),
    ...(hangs !== undefined && lastedMs > REPLACED_WITHIN_MS
      ? [`${kind}: ${hangs} was replaced after ${seconds(lastedMs)}, not within ${seconds(REPLACED_WITHIN_MS)}`]
      : []),
  ];
}

const isKill = (kind: FaultKind): boolean => faultOf(kind).kill === true;

function spread(faults: readonly FaultRecord[]): { p50: number; max: number } {
  const recoveries = faults.flatMap(({ recoveryMs }) => (recoveryMs < 0 ? [] : [recoveryMs]));
  return { p50: quantile(recoveries, 0.5) ?? 0, max: Math.max(0, ...recoveries) };
}

/** The report in one line. */
export const headline = (report: FailoverReport): string => {
  const kills = report.faults.some(({ kind }) => isKill(kind))
    ? `; killed processes recovered in ${seconds(report.killRecoveryMs.p50)} (median), ${seconds(report.killRecoveryMs.max)} at most`
    : "";
  const wrong = [
    ...report.brokenLimits.map(({ kind, name, what }) => `${kind} broke ${name}: ${what}`),
    ...report.problems,
  ];
  return `${report.faults.length} faults of ${new Set(report.faults.map(({ kind }) => kind)).size} kinds; ${resultText(report)}${kills}${report.overloads.map(headlineOf).join("")}${wrong.length === 0 ? "" : `; ${wrong.join("; ")}`}`;
};

const headlineOf = ({ kind, decidedPerSecond, jobRestarts, checkpoints, drainedMs }: OverloadRecord): string =>
  `; ${kind}: ${decidedPerSecond.median}/s decided (${decidedPerSecond.min} to ${decidedPerSecond.max}), ${jobRestarts} restarts, ${checkpoints.failed} of ${checkpoints.completed + checkpoints.failed} checkpoints failed, ${drainedMs < 0 ? "not drained" : `drained in ${seconds(drainedMs)}`}`;

/** @param ms - −1: never */
export const seconds = (ms: number): string => (ms < 0 ? "never" : `${(ms / 1000).toFixed(1)} s`);

export function pageOf(report: FailoverReport, result: FailoverResult): Html {
  const { faults, machine, unableToCommit } = report;
  const versions = Object.entries(report.decisionsByLogicVersion);
  return html`<h1>Failover: is every transaction decided exactly once, in order, whatever fails?</h1>
${resultLine(report.verdict === "pass", headline(report))}
${
  report.problems.length === 0
    ? html``
    : html`<h2 class="bad">What went wrong</h2>${table(
        ["Problem"],
        report.problems.map((problem) => [problem]),
      )}`
}
<p class="dim">${report.rate} transactions a second for ${report.duration} s, seed ${report.seed}, run ${report.runId}, in ${report.where}, transport ${report.transport}; ${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB. Every record read by Kafka's own Java consumer, read_committed.</p>
<h2>Timeline</h2>
${timeline(
  seriesOf(result),
  faults.map(({ kind, atMs, recoveryMs }, n) => ({
    at: atMs / 1000,
    until: (atMs + Math.max(0, recoveryMs)) / 1000,
    label: `${n + 1}: ${kind}, recovered in ${seconds(recoveryMs)}`,
  })),
)}
<h2>Faults</h2>
${table(
  ["#", "Kind", "What", "#At", "#Lasted", "#Recovered in", "#p99 until the next", "#Job restarts", "Replaced"],
  faults.map(({ kind, description, atMs, lastedMs, recoveryMs, committedP99Ms, jobRestarts, replaced }, n) => [
    n + 1,
    html`<code>${kind}</code>`,
    description,
    seconds(atMs),
    seconds(lastedMs),
    seconds(recoveryMs),
    seconds(committedP99Ms),
    jobRestarts === -1 ? "not known" : jobRestarts,
    replaced.join(", "),
  ]),
)}
<p>Recovery: from the fault to the first committed decision of a transaction that was accepted after it. Replaced: by the watchdog, because they hung. Committed p99 before the first fault: ${seconds(report.calmP99Ms)}. Kinds that did not fit into this run: ${report.notFitted.join(", ") || "none"}; it was to inject ${report.kinds.length} of the ${Object.keys(FAULTS).length} that there are${report.where === "containers" ? ", those that can be injected in containers" : ""}.</p>
<h2>By kind</h2>
${table(
  ["Kind", "#Times", "#Median recovery", "#Longest"],
  [...new Set(faults.map(({ kind }) => kind))].map((kind) => {
    const { p50, max } = spread(faults.filter((fault) => fault.kind === kind));
    return [
      html`<code>${kind}</code>`,
      faults.filter((fault) => fault.kind === kind).length,
      seconds(p50),
      seconds(max),
    ];
  }),
)}
${overloadSections(report.overloads)}
${propertiesSection(report.properties)}
<h2>Versions</h2>${table(
    ["Account counter, merchant model, scorer", "#Decisions"],
    versions.map(([name, count]) => [html`<code>${name}</code>`, count.toLocaleString("en")]),
  )}
<h2>Transactions that Flink could not commit again</h2>
<p>${unableToCommit.length === 0 ? "None." : "Flink commits again what may not have been committed before a failure; for what had been committed it gets an error. Whether anything was lost is decided by the records above."}</p>
${
  unableToCommit.length === 0
    ? html``
    : table(
        ["Transactional id", "#Epoch", "Log line"],
        unableToCommit.map(({ transactionalId, epoch, line }) => [
          html`<code>${transactionalId}</code>`,
          epoch,
          html`<code>${line.slice(0, 300)}</code>`,
        ]),
      )
}`;
}

function seriesOf({ acknowledged, watch, startedAtMs }: FailoverResult) {
  const accepted: number[] = [];
  const committed: number[] = [];
  const slowest: (number | undefined)[] = [];
  const second = (atMs: number): number => Math.max(0, Math.floor((atMs - startedAtMs) / 1000));
  const add = (values: (number | undefined)[], at: number, amount: number): void => {
    values[at] = (values[at] ?? 0) + amount;
  };
  for (const { first, count, sentAtMs, acknowledgedAtMs } of acknowledged) {
    add(accepted, second(acknowledgedAtMs), count);
    for (let n = first; n < first + count; n++) {
      const at = watch.committedAtMs[n]!;
      if (at === 0) continue;
      add(committed, second(at), 1);
      slowest[second(at)] = Math.max(slowest[second(at)] ?? 0, (at - sentAtMs) / 1000);
    }
  }
  const length = Math.max(accepted.length, committed.length);
  const whole = (values: readonly (number | undefined)[], missing: number | undefined) =>
    Array.from({ length }, (_, at) => values[at] ?? missing);
  return [
    { title: "Transactions acknowledged per second", unit: "", values: whole(accepted, 0) },
    { title: "Decisions committed per second", unit: "", values: whole(committed, 0) },
    { title: "Longest committed latency of those", unit: "s", values: whole(slowest, undefined) },
  ];
}
