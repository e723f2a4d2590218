import { type Transport, TRANSPORTS } from "../../cluster/transports.js";
import { html, table } from "../../terminal/html.js";
import { type Machine, thisMachine } from "../../terminal/json-report.js";
import { type Spread, spreadOf, spreadText } from "../spread.js";
import type { JobHealth, Watched } from "./test-bed.js";

/** Accounts, each drawn as often as the others. */
export const ACCOUNTS = 5_000;
/** Merchants, each drawn as often as the others. */
export const MERCHANTS = 500;

/** What is compared, and how. */
export interface PipelineOptions {
  readonly variants: readonly Transport[];
  readonly rounds: number;
  /** Transactions that wait for a Flink that starts. */
  readonly backlog: number;
  /** In ms: 99 of 100 decisions are committed by then, or the rate is not held. */
  readonly p99: number;
  readonly quick: boolean;
}

/** One transport in one round. */
export interface Trial {
  readonly variant: Transport;
  readonly round: number;
}

interface Load {
  readonly accounts: number;
  /** How often each is drawn. */
  readonly keys: "uniform";
}

/** One rate, offered for as long as the plan says. */
export interface TriedRate extends Trial, Watched {
  readonly held: boolean;
}

/** `reports/bench-pipeline.json`. Field names are stable. */
export interface PipelineReport {
  readonly machine: Machine;
  readonly quick: boolean;
  readonly accounts: number;
  readonly merchants: number;
  readonly committedP99LimitMs: number;
  readonly backlog: number;
  readonly variants: readonly { readonly variant: Transport; readonly description: string }[];
  /** The highest rate that was held; 0 when none of those that were tried was. */
  readonly sustained: readonly (Trial &
    Load & {
      readonly perSecond: number;
      readonly committedMs: { readonly p50: number; readonly p99: number } | null;
    })[];
  readonly drain: readonly (Trial &
    Load & {
      readonly perSecond: number;
      readonly seconds: number | null;
      readonly waited: number;
      readonly decided: number;
    })[];
  /**
   * Microseconds of processor time per transaction; `load` sends the transactions and `reader` reads the decisions,
   * neither is the pipeline.
   */
  readonly cpuMicros: readonly (Trial & {
    readonly phase: "sustained" | "drain";
    readonly part: string;
    readonly perTransaction: number;
  })[];
  readonly tried: readonly TriedRate[];
  readonly health: readonly (Trial & { readonly phase: "sustained" | "drain" } & JobHealth)[];
  /** Of all that was sent: what has no decision (`null` when that was not waited for), and what has more than one. */
  readonly exactlyOnce: readonly (Trial & {
    readonly sent: number;
    readonly missing: number | null;
    readonly duplicates: number;
  })[];
  /** Rounds that could not be finished. */
  readonly problems: readonly (Trial & { readonly what: string })[];
  readonly summary: readonly VariantSummary[];
}

/** One transport over all rounds. */
export interface VariantSummary {
  readonly variant: Transport;
  readonly sustainedPerSecond: Spread | null;
  readonly drainPerSecond: Spread | null;
  /** The pipeline's, all parts together. */
  readonly sustainedCpuMicros: Spread | null;
  readonly drainCpuMicros: Spread | null;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };
/** What a report is made of, as it grows. */
export type Figures = Writable<
  Pick<PipelineReport, "sustained" | "drain" | "cpuMicros" | "tried" | "health" | "exactlyOnce" | "problems">
>;

/** The report of what has been measured so far. */
export function reportOf({ variants, backlog, p99, quick }: PipelineOptions, figures: Figures): PipelineReport {
  return {
    machine: thisMachine(),
    quick,
    accounts: ACCOUNTS,
    merchants: MERCHANTS,
    committedP99LimitMs: p99,
    backlog,
    variants: variants.map((variant) => ({ variant, description: TRANSPORTS[variant].description })),
    ...figures,
    summary: variants.map((variant) => summaryOf(variant, figures)),
  };
}

/** They measure; they are not part of the pipeline. */
const MEASURING: ReadonlySet<string> = new Set(["load", "reader"]);

function summaryOf(variant: Transport, { sustained, drain, cpuMicros }: Figures): VariantSummary {
  const spread = (values: readonly number[]): Spread | null => (values.length === 0 ? null : spreadOf(values));
  const rates = (of: readonly (Trial & { readonly perSecond: number })[]) =>
    spread(of.filter((one) => one.variant === variant).map(({ perSecond }) => perSecond));
  const cpu = (phase: "sustained" | "drain"): Spread | null => {
    const parts = cpuMicros.filter((one) => one.variant === variant && one.phase === phase && !MEASURING.has(one.part));
    return spread(
      [...new Set(parts.map(({ round }) => round))].map((round) =>
        parts.filter((one) => one.round === round).reduce((sum, { perTransaction }) => sum + perTransaction, 0),
      ),
    );
  };
  return {
    variant,
    sustainedPerSecond: rates(sustained),
    drainPerSecond: rates(drain),
    sustainedCpuMicros: cpu("sustained"),
    drainCpuMicros: cpu("drain"),
  };
}

const shown = (spread: Spread | null): string => (spread === null ? "–" : spreadText(spread));

/** One transport in a line. */
export const summaryLine = ({
  variant,
  sustainedPerSecond,
  drainPerSecond,
  sustainedCpuMicros,
  drainCpuMicros,
}: VariantSummary): string =>
  `${variant.padEnd(13)} holds ${shown(sustainedPerSecond)}/s at ${shown(sustainedCpuMicros)} µs a transaction; works a backlog off at ${shown(drainPerSecond)}/s and ${shown(drainCpuMicros)} µs`;

/** The report as a page. */
export function pageOf(report: PipelineReport) {
  const {
    machine,
    quick,
    accounts,
    merchants,
    committedP99LimitMs,
    backlog,
    variants,
    summary,
    cpuMicros,
    tried,
    health,
    exactlyOnce,
    problems,
  } = report;
  const phases = ["sustained", "drain"] as const;
  const cpu = (phase: (typeof phases)[number], part: string) =>
    variants.map(({ variant }) => {
      const values = cpuMicros
        .filter((one) => one.variant === variant && one.phase === phase && one.part === part)
        .map(({ perTransaction }) => perTransaction);
      return values.length === 0 ? "–" : spreadText(spreadOf(values));
    });
  return html`<h1>The pipeline by transport</h1>
<p>${accounts.toLocaleString("en")} accounts and ${merchants} merchants, each as popular as the others; transactions straight into <code>transactions.valid</code>. Medians of the rounds, with minimum and maximum. ${machine.cores} cores (${machine.cpu}), Node ${machine.node}.${quick ? " A quick run: its figures are rough." : ""}</p>
<ul>${variants.map(({ variant, description }) => html`<li><b>${variant}</b>: ${description}</li>`)}</ul>
${problems.map(({ variant, round, what }) => html`<p class="bad">${variant}, round ${round}: ${what}</p>`)}
<h2>Rates</h2><p>Held: what is due and not decided does not grow, and 99 of 100 decisions are committed within ${committedP99LimitMs} ms. Backlog: ${backlog.toLocaleString("en")} transactions wait for Flink, which starts cold; over the middle four fifths.</p>
${table(
  [
    "Transport",
    "#held, transactions/s",
    "#pipeline, µs of processor time each",
    "#backlog, transactions/s",
    "#µs each",
  ],
  summary.map((one) => [
    one.variant,
    shown(one.sustainedPerSecond),
    shown(one.sustainedCpuMicros),
    shown(one.drainPerSecond),
    shown(one.drainCpuMicros),
  ]),
)}
${phases.map(
  (phase) =>
    html`<h2>Processor time by part, µs a transaction: ${phase === "sustained" ? "at the rate that was held" : "in a backlog"}</h2>${table(
      ["Part", ...variants.map(({ variant }) => `#${variant}`)],
      [...new Set(cpuMicros.map(({ part }) => part))].map((part) => [
        MEASURING.has(part) ? `${part} (measures)` : part,
        ...cpu(phase, part),
      ]),
    )}`,
)}
<h2>Every rate that was tried</h2>${table(
    [
      "Transport",
      "#Round",
      "#offered/s",
      "#decided/s",
      "#p50, ms",
      "#p99, ms",
      "#on their way",
      "#more a second",
      "Held",
    ],
    tried.map((one) => [
      one.variant,
      one.round,
      one.offered,
      one.decidedPerSecond,
      one.committedMs.p50,
      one.committedMs.p99,
      one.lag,
      one.lagGrowth,
      one.held ? "yes" : "no",
    ]),
  )}
<h2>Flink's job, and what became of the transactions</h2>${table(
    ["Transport", "#Round", "Phase", "#restarts", "#checkpoints failed", "#completed"],
    health.map((one) => [
      one.variant,
      one.round,
      one.phase,
      one.restarts,
      one.failedCheckpoints,
      one.completedCheckpoints,
    ]),
  )}
${table(
  ["Transport", "#Round", "#sent", "#missing", "#repeated"],
  exactlyOnce.map((one) => [one.variant, one.round, one.sent, one.missing ?? "not waited for", one.duplicates]),
)}`;
}
