import { type Html, html, table } from "../../terminal/html.js";
import { spreadOf, spreadText } from "../spread.js";
import { ACCOUNTS, cellName, isUsual } from "./cells.js";
import { HOP_TEXTS, HOPS, type Quantiles } from "./hops.js";
import { type Load, loadName, MEASURING, type PipelineReport, shown, type Summary } from "./report.js";

const MB = 1e6;
const megabytes = (bytes: number | "unreachable" | undefined): string =>
  typeof bytes === "number" ? (bytes / MB).toFixed(1) : "–";
const quantiles = (of: Quantiles | null | undefined): string => (of ? `${of.p50} / ${of.p99}` : "–");
const times = (value: number | null): string => (value === null ? "–" : value.toFixed(1));

/** The report as a page. */
export function pageOf(report: PipelineReport): Html {
  const { machine, quick, plan, merchants, committedP99LimitMs, backlog, variants, summary, problems, skipped } =
    report;
  const seconds = (ms: number): string => `${ms / 1000} s`;
  return html`<h1>The pipeline beside its peers</h1>
<p>${ACCOUNTS.toLocaleString("en")} accounts unless it says otherwise, and ${merchants} merchants; transactions straight into <code>transactions.valid</code>; medians of the rounds, with minimum and maximum. ${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, Node ${machine.node}; took ${Math.round(report.took / 60)} minutes.${quick ? " A quick run: its figures are rough." : ""}</p>
<p>Held: offered for ${seconds(plan.confirmMs)} after ${seconds(plan.warmUpMs)} of warm-up and ${seconds(plan.settleMs)} at this rate, what is due and not decided does not grow, and 99 of 100 decisions are committed within ${committedP99LimitMs} ms. Backlog: ${backlog.toLocaleString("en")} transactions wait for Flink, which starts cold; over the middle four fifths.</p>
<ul>${variants.map(({ variant, description }) => html`<li><b>${variant}</b>: ${description}</li>`)}</ul>
${problems.map((one) => html`<p class="bad">${cellName(one)}: ${one.what}</p>`)}
${skipped.map((one) => html`<p class="dim">${cellName(one)}: ${one.why}</p>`)}
<h2>Beside its peers</h2>${rates(summary.filter(isUsual), true)}
<h2>Other numbers of accounts, and other keys</h2>${rates(
    summary.filter((one) => !isUsual(one)),
    false,
  )}
${stateTable(report)}
<h2>Latencies, ms: p50 / p99</h2>${latencyTable(report)}
<p>Each from when the transaction was due. By hop: ${HOPS.map((hop) => html`<b>${hop}</b> ${HOP_TEXTS[hop]}; `)}transactions that are due within 5 ms are sent together.</p>
<h2>What the guarantee costs</h2>${table(
    ["Guarantee", "#transactions/s", "#first visible, p50 / p99 ms", "#committed", "#pipeline, µs of processor each"],
    report.guarantees.map((one) => [
      one.guarantee,
      one.perSecond,
      quantiles(one.firstVisibleMs),
      quantiles(one.committedMs),
      Object.entries(one.cpuMicros)
        .filter(([part]) => !MEASURING.has(part))
        .reduce((sum, [, micros]) => sum + micros, 0),
    ]),
  )}
<h2>Start and recovery, s</h2>${startTable(report)}
<p>Start: from nothing until the Flink job runs. From cold: from Flink's start, with the backlog waiting, to its first committed decision. Kill: the TaskManager's, under load, to the first committed decision on a transaction that was due after it, and until no more was on its way than before.</p>
${(["sustained", "drain"] as const).map((phase) => html`<h2>Processor time by part, µs a transaction: ${phase === "sustained" ? "at the rate that was held" : "in a backlog"}</h2>${cpuTable(report, phase)}`)}
<h2>Every rate that was tried</h2>${table(
    ["Pipeline", "#offered/s", "#decided/s", "#p50, ms", "#p99, ms", "#on their way", "#more a second", "Held"],
    report.tried.map((one) => [
      cellName(one),
      one.offered,
      one.decidedPerSecond,
      one.committedMs.p50,
      one.committedMs.p99,
      one.lag,
      one.lagGrowth,
      one.held ? "yes" : one.cutShort ? "no, far from it" : "no",
    ]),
  )}
<h2>Flink's job, and what became of the transactions</h2>${table(
    ["Pipeline", "Phase", "#restarts", "#checkpoints failed", "#completed"],
    report.health.map((one) => [
      cellName(one),
      one.phase,
      one.restarts,
      one.failedCheckpoints,
      one.completedCheckpoints,
    ]),
  )}
${table(
  ["Pipeline", "#sent", "#missing", "#repeated"],
  report.exactlyOnce.map((one) => [cellName(one), one.sent, one.missing ?? "not waited for", one.duplicates]),
)}`;
}

function rates(rows: readonly Summary[], compared: boolean): Html {
  return table(
    [
      "Pipeline",
      "#held, transactions/s",
      "#pipeline, µs of processor time each",
      "#backlog, transactions/s",
      "#µs each",
      ...(compared ? ["#ours holds, times as much", "#works off"] : []),
    ],
    rows.map((one) => [
      loadName(one),
      shown(one.sustainedPerSecond),
      shown(one.sustainedCpuMicros),
      shown(one.drainPerSecond),
      shown(one.drainCpuMicros),
      ...(compared ? [times(one.oursTimes.sustained), times(one.oursTimes.drain)] : []),
    ]),
  );
}

function stateTable({ state }: PipelineReport): Html {
  return table(
    [
      "Pipeline",
      "Backend",
      "#transactions decided",
      "#accounts, each once first",
      "#state, MB",
      "#written by the last checkpoint, MB",
      "#checkpoints, p50 / max ms",
      "#heap in use, MB",
      "#TaskManager, MB resident",
      "#functions",
    ],
    state.map((one) => [
      cellName(one),
      one.backend,
      one.decided.toLocaleString("en"),
      one.accountsFilled?.toLocaleString("en") ?? "–",
      megabytes(one.checkpoints?.stateBytes),
      megabytes(one.checkpoints?.writtenBytes),
      one.checkpoints === null ? "–" : `${one.checkpoints.durationMs.p50} / ${one.checkpoints.durationMs.max}`,
      megabytes(one.heapBytes),
      megabytes(one.residentBytes["taskmanager"]),
      megabytes(one.residentBytes["functions"]),
    ]),
  );
}

function latencyTable({ latency }: PipelineReport): Html {
  return table(
    [
      "Pipeline",
      "#of what it holds",
      "#transactions/s",
      "#first visible",
      "#committed",
      ...HOPS.map((hop) => `#${hop}`),
    ],
    latency.map((one) => [
      `${cellName(one)}${one.throughIntake ? ", through the intake" : ""}`,
      `${Math.round(one.share * 100)} %`,
      one.perSecond,
      quantiles(one.firstVisibleMs),
      quantiles(one.committedMs),
      ...HOPS.map((hop) => quantiles(one.hopsMs[hop])),
    ]),
  );
}

function startTable({ starts, recovery, drains }: PipelineReport): Html {
  return table(
    ["Pipeline", "#start", "#from cold, first decision", "#kill at, transactions/s", "#first decision", "#caught up"],
    starts.map((one) => {
      const same = <T extends Load & { readonly round: number }>(of: readonly T[]): T | undefined =>
        of.find(
          ({ variant, accounts, keys, round }) =>
            variant === one.variant && accounts === one.accounts && keys === one.keys && round === one.round,
        );
      const killed = same(recovery);
      return [
        cellName(one),
        one.seconds,
        same(drains)?.firstSeconds ?? "–",
        killed?.perSecond ?? "–",
        killed === undefined ? "–" : (killed.firstDecisionSeconds ?? "not in time"),
        killed === undefined ? "–" : (killed.caughtUpSeconds ?? "not in time"),
      ];
    }),
  );
}

function cpuTable({ cpuMicros, summary }: PipelineReport, phase: "sustained" | "drain"): Html {
  const measured = summary.filter((one) =>
    cpuMicros.some((row) => row.phase === phase && loadName(row) === loadName(one)),
  );
  return table(
    ["Part", ...measured.map((one) => `#${loadName(one)}`)],
    [...new Set(cpuMicros.map(({ part }) => part))].map((part) => [
      MEASURING.has(part) ? `${part} (measures)` : part,
      ...measured.map((one) => {
        const values = cpuMicros
          .filter((row) => row.phase === phase && row.part === part && loadName(row) === loadName(one))
          .map(({ perTransaction }) => perTransaction);
        return values.length === 0 ? "–" : spreadText(spreadOf(values));
      }),
    ]),
  );
}
