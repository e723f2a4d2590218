import type { StateBackend } from "../../flink/flink.js";
import { type Machine, thisMachine } from "../../terminal/json-report.js";
import { type Spread, spreadOf, spreadText } from "../spread.js";
import { ACCOUNTS, type Cell, type Choice, MERCHANTS } from "./cells.js";
import type { Drained, JobHealth, Latency, Recovered, StateFigures, Watched } from "./figures.js";
import type { Quantiles } from "./hops.js";
import type { Plan } from "./plan.js";
import type { Keys } from "./transactions.js";
import { type VariantName, VARIANTS } from "./variants/variants.js";

/** What is compared, and how. */
export interface PipelineOptions extends Choice {
  /** Transactions that wait for a Flink that starts. */
  readonly backlog: number;
  /** In ms: 99 of 100 decisions are committed by then, or the rate is not held. */
  readonly p99: number;
  /** Of ours as it is; `undefined`: by the number of accounts. */
  readonly stateBackend: StateBackend | undefined;
  /** Of the variants without one of their own; `undefined`: the default. */
  readonly parallelism?: number;
}

/** Which pipeline under which load. */
export interface Load {
  readonly variant: VariantName;
  readonly accounts: number;
  readonly keys: Keys;
}

/** One pipeline in one round. */
export type Trial = Load & Pick<Cell, "round">;

/** One rate, offered for as long as the plan says. */
export interface TriedRate extends Trial, Watched {
  readonly held: boolean;
}

/** The result of one search. */
export interface SustainedTrial extends Trial {
  /** The highest rate that was held; 0: none of those that were tried. */
  readonly perSecond: number;
  /** The least rate above it that was tried and not held. */
  readonly notHeld: number | null;
  readonly committedMs: Quantiles | null;
  /** It did not work off what it was offered, within the limit. */
  readonly collapsed: boolean;
}

/** What ran in one phase, since the job was started. */
export interface TrialHealth extends Trial, JobHealth {
  readonly phase: "load" | "drain";
}

/** A rate over all rounds. */
export interface Rate extends Load {
  /** The median. */
  readonly perSecond: number;
  readonly rounds: Spread & { readonly count: number };
}

/** `reports/bench-pipeline.json`. Field names are stable. */
export interface PipelineReport {
  readonly machine: Machine;
  readonly quick: boolean;
  readonly took: number;
  /** How long each part lasted, in ms, and the limits. */
  readonly plan: Plan;
  readonly merchants: number;
  readonly committedP99LimitMs: number;
  readonly backlog: number;
  readonly variants: readonly { readonly variant: VariantName; readonly description: string }[];
  /** The highest rate that is held; 0 when none of those that were tried was. */
  readonly sustained: readonly (Rate & {
    /** Of the round that held this rate, or the one next to it. */
    readonly committedMs: Quantiles | null;
    /** The least rate above it that was tried and not held, in any round. */
    readonly notHeld: number | null;
    /** The pipeline's, all parts together, at that rate. */
    readonly cpuMicros: Spread | null;
  })[];
  /** At which rate a backlog is worked off, from a cold start of Flink. */
  readonly drain: readonly (Rate & { readonly cpuMicros: Spread | null })[];
  /** Ours, with accounts as they are compared, at half of the rate that it holds; `null`: not measured. */
  readonly firstVisibleMs: Quantiles | null;
  readonly committedMs: Quantiles | null;
  readonly latency: readonly (Trial & Latency & { readonly share: number; readonly throughIntake: boolean })[];
  /** The same load, with the egress's transactions and without. */
  readonly guarantees: readonly ({ readonly guarantee: "exactly-once" | "at-least-once" } & Pick<
    Latency,
    "perSecond" | "firstVisibleMs" | "committedMs" | "cpuMicros"
  >)[];
  readonly recovery: readonly (Trial & Recovered & { readonly perSecond: number })[];
  /** Seconds from nothing until the job ran. */
  readonly starts: readonly (Trial & { readonly seconds: number })[];
  /**
   * After the search, with nothing on its way and so many transactions decided. `accountsFilled` had theirs before
   * anything was measured; `null`: accounts were drawn from the beginning.
   */
  readonly state: readonly (Trial &
    StateFigures & { readonly accountsFilled: number | null; readonly decided: number })[];
  /**
   * Microseconds of processor time per transaction; `load` sends the transactions and `reader` reads the decisions,
   * neither is the pipeline.
   */
  readonly cpuMicros: readonly (Trial & {
    readonly phase: "sustained" | "drain";
    readonly part: string;
    readonly perTransaction: number;
  })[];
  /** What was found in each round. */
  readonly trials: readonly SustainedTrial[];
  readonly drains: readonly (Trial &
    Pick<Drained, "perSecond" | "decided"> & {
      readonly seconds: number | null;
      readonly firstSeconds: number | null;
      readonly waited: number;
    })[];
  readonly tried: readonly TriedRate[];
  readonly health: readonly TrialHealth[];
  /** Of all that was sent: what has no decision (`null` when that was not waited for), and what has more than one. */
  readonly exactlyOnce: readonly (Trial & {
    readonly sent: number;
    readonly missing: number | null;
    readonly duplicates: number;
  })[];
  /** What could not be finished. */
  readonly problems: readonly (Trial & { readonly what: string })[];
  /** What was left out. */
  readonly skipped: readonly (Trial & { readonly why: string })[];
  readonly summary: readonly Summary[];
}

/** One pipeline under one load, over all rounds. */
export interface Summary extends Load {
  readonly sustainedPerSecond: Spread | null;
  readonly sustainedCpuMicros: Spread | null;
  readonly drainPerSecond: Spread | null;
  readonly drainCpuMicros: Spread | null;
  /** How many times as much ours holds, and works off, of the same load in the same run; `null`: not known. */
  readonly oursTimes: { readonly sustained: number | null; readonly drain: number | null };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };
/** What a report is made of, as it grows. */
export type Figures = Writable<
  Pick<
    PipelineReport,
    | "trials"
    | "drains"
    | "latency"
    | "recovery"
    | "starts"
    | "state"
    | "cpuMicros"
    | "tried"
    | "health"
    | "exactlyOnce"
    | "problems"
    | "skipped"
  >
>;

/** Before anything is measured. */
export const noFigures = (): Figures => ({
  trials: [],
  drains: [],
  latency: [],
  recovery: [],
  starts: [],
  state: [],
  cpuMicros: [],
  tried: [],
  health: [],
  exactlyOnce: [],
  problems: [],
  skipped: [],
});

const OURS = "batching";
const USUAL: Omit<Load, "variant"> = { accounts: ACCOUNTS, keys: "uniform" };
/** They measure; they are not part of the pipeline. */
export const MEASURING: ReadonlySet<string> = new Set(["load", "reader"]);

/**
 * The report of what has been measured so far.
 *
 * @param took - seconds
 */
export function reportOf(options: PipelineOptions, plan: Plan, figures: Figures, took: number): PipelineReport {
  const half = figures.latency.findLast(
    (one) => isLoad(one, { variant: OURS, ...USUAL }) && one.share === 0.5 && !one.throughIntake,
  );
  return {
    machine: thisMachine(),
    quick: options.quick,
    took,
    plan,
    merchants: MERCHANTS,
    committedP99LimitMs: options.p99,
    backlog: options.backlog,
    variants: options.variants.map((variant) => ({ variant, description: VARIANTS[variant].description })),
    sustained: loadsOf(figures.trials).map((load) => {
      const rounds = figures.trials.filter((one) => isLoad(one, load));
      const rate = rateOf(load, rounds);
      const missed = rounds.flatMap(({ notHeld }) => notHeld ?? []).filter((one) => one > rate.perSecond);
      return {
        ...rate,
        committedMs: nearest(rounds, rate.perSecond)?.committedMs ?? null,
        notHeld: missed.length === 0 ? null : Math.min(...missed),
        cpuMicros: pipelineCpu(load, "sustained", figures),
      };
    }),
    drain: loadsOf(figures.drains).map((load) => ({
      ...rateOf(
        load,
        figures.drains.filter((one) => isLoad(one, load)),
      ),
      cpuMicros: pipelineCpu(load, "drain", figures),
    })),
    firstVisibleMs: half?.firstVisibleMs ?? null,
    committedMs: half?.committedMs ?? null,
    guarantees: guaranteesOf(half, figures),
    ...figures,
    summary: summaryOf(figures),
  };
}

function guaranteesOf(half: Latency | undefined, { latency }: Figures): PipelineReport["guarantees"] {
  const other = latency.findLast(({ variant }) => variant === "at-least-once");
  if (half === undefined || other === undefined) return [];
  const row = (guarantee: "exactly-once" | "at-least-once", one: Latency) => ({
    guarantee,
    perSecond: one.perSecond,
    firstVisibleMs: one.firstVisibleMs,
    committedMs: one.committedMs,
    cpuMicros: one.cpuMicros,
  });
  return [row("exactly-once", half), row("at-least-once", other)];
}

const isLoad = (one: Load, { variant, accounts, keys }: Load): boolean =>
  one.variant === variant && one.accounts === accounts && one.keys === keys;

/** Each pipeline and load once, in the order in which they came. */
function loadsOf(trials: readonly Load[]): Load[] {
  const loads: Load[] = [];
  for (const { variant, accounts, keys } of trials)
    if (!loads.some((one) => isLoad(one, { variant, accounts, keys }))) loads.push({ variant, accounts, keys });
  return loads;
}

function rateOf(load: Load, rounds: readonly { readonly perSecond: number }[]): Rate {
  const spread = spreadOf(rounds.map(({ perSecond }) => perSecond));
  return { ...load, perSecond: spread.median, rounds: { ...spread, count: rounds.length } };
}

/** The round whose rate is the closest. */
const nearest = (rounds: readonly SustainedTrial[], perSecond: number): SustainedTrial | undefined =>
  rounds.toSorted((a, b) => Math.abs(a.perSecond - perSecond) - Math.abs(b.perSecond - perSecond))[0];

/** All parts of the pipeline together, in each round. */
function pipelineCpu(load: Load, phase: "sustained" | "drain", { cpuMicros }: Figures): Spread | null {
  const parts = cpuMicros.filter((one) => isLoad(one, load) && one.phase === phase && !MEASURING.has(one.part));
  const rounds = [...new Set(parts.map(({ round }) => round))];
  if (rounds.length === 0) return null;
  return spreadOf(
    rounds.map((round) =>
      parts.filter((one) => one.round === round).reduce((sum, { perTransaction }) => sum + perTransaction, 0),
    ),
  );
}

function summaryOf(figures: Figures): Summary[] {
  const spread = (load: Load, of: readonly (Load & { readonly perSecond: number })[]): Spread | null => {
    const rates = of.filter((one) => isLoad(one, load)).map(({ perSecond }) => perSecond);
    return rates.length === 0 ? null : spreadOf(rates);
  };
  const times = (load: Load, of: readonly (Load & { readonly perSecond: number })[]): number | null => {
    const [ours, theirs] = [spread({ ...load, variant: OURS }, of), spread(load, of)];
    return ours === null || theirs === null || theirs.median === 0
      ? null
      : Math.round((ours.median / theirs.median) * 10) / 10;
  };
  return loadsOf([...figures.trials, ...figures.drains]).map((load) => ({
    ...load,
    sustainedPerSecond: spread(load, figures.trials),
    sustainedCpuMicros: pipelineCpu(load, "sustained", figures),
    drainPerSecond: spread(load, figures.drains),
    drainCpuMicros: pipelineCpu(load, "drain", figures),
    oursTimes: { sustained: times(load, figures.trials), drain: times(load, figures.drains) },
  }));
}

/** A figure of several rounds, or a dash. */
export const shown = (spread: Spread | null): string => (spread === null ? "–" : spreadText(spread));

/** A pipeline and its load, as a table names them. */
export const loadName = ({ variant, accounts, keys }: Load): string =>
  [
    variant,
    ...(accounts === ACCOUNTS ? [] : [`${accounts.toLocaleString("en")} accounts`]),
    ...(keys === "uniform" ? [] : [`${keys} keys`]),
  ].join(", ");

/** One pipeline in a line. */
export const summaryLine = (one: Summary): string =>
  `${loadName(one).padEnd(28)} holds ${shown(one.sustainedPerSecond)}/s at ${shown(one.sustainedCpuMicros)} µs a transaction; works a backlog off at ${shown(one.drainPerSecond)}/s and ${shown(one.drainCpuMicros)} µs`;
