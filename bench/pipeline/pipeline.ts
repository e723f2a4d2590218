import { type Transport, TRANSPORT_NAMES, TRANSPORTS } from "../../cluster/transports.js";
import { html, table, writePage } from "../../terminal/html.js";
import { type Machine, thisMachine, writeJsonReport } from "../../terminal/json-report.js";
import { stepView } from "../../terminal/step-view.js";
import { UserError } from "../../terminal/user-error.js";
import { ensureTools } from "../../tools/index.js";
import { type Spread, spreadOf, spreadText } from "../spread.js";
import { highestHeld, nextRate } from "./search.js";
import { type JobHealth, TestBed, type Watched } from "./test-bed.js";

const ACCOUNTS = 5_000;
const MERCHANTS = 500;
const REPORT = "reports/bench-pipeline";
/** Of the ramp: what nearly every pipeline holds, and how much more each step is. */
const LOWEST = 150;
const HIGHEST = 20_000;
/** In the ramp a rate is too much when decisions come so late, too. */
const RAMP_LAG_S = 4;
const CALM_LIMIT_MS = 120_000;

/** How long everything lasts. */
interface Plan {
  readonly warmUpMs: number;
  readonly warmUpRate: number;
  readonly rampStepMs: number;
  readonly rampFactor: number;
  readonly settleMs: number;
  readonly confirmMs: number;
  /**
   * Which share of what is offered a rate may seem to leave over: decisions come by the checkpoint, and the shorter one
   * looks, the more these jumps matter.
   */
  readonly leftOver: { readonly ramp: number; readonly confirm: number };
  /** Rates that are confirmed at most, in the round that has none to begin with and in the others. */
  readonly attempts: { readonly first: number; readonly later: number };
  readonly drainLimitMs: number;
}

const FULL: Plan = {
  warmUpMs: 60_000,
  warmUpRate: LOWEST,
  rampStepMs: 15_000,
  rampFactor: 1.25,
  settleMs: 10_000,
  confirmMs: 60_000,
  leftOver: { ramp: 0.08, confirm: 0.01 },
  attempts: { first: 4, later: 3 },
  drainLimitMs: 600_000,
};
const QUICK: Plan = {
  warmUpMs: 12_000,
  warmUpRate: LOWEST,
  rampStepMs: 6_000,
  rampFactor: 1.5,
  settleMs: 4_000,
  confirmMs: 15_000,
  leftOver: { ramp: 0.25, confirm: 0.04 },
  attempts: { first: 4, later: 2 },
  drainLimitMs: 90_000,
};
/** Transactions that are encoded before a cluster starts. */
const STOCK = { full: 300_000, quick: 60_000 } as const;

export interface PipelineOptions {
  readonly variants: readonly Transport[];
  readonly rounds: number;
  /** Transactions that wait for a Flink that starts. */
  readonly backlog: number;
  /** In ms: 99 of 100 decisions are committed by then, or the rate is not held. */
  readonly p99: number;
  readonly quick: boolean;
}

interface Trial {
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
   * Microseconds of processor time a transaction; `load` sends the transactions and `reader` reads the decisions,
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

interface VariantSummary {
  readonly variant: Transport;
  readonly sustainedPerSecond: Spread | null;
  readonly drainPerSecond: Spread | null;
  /** The pipeline's, all parts together. */
  readonly sustainedCpuMicros: Spread | null;
  readonly drainCpuMicros: Spread | null;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };
type Figures = Writable<
  Pick<PipelineReport, "sustained" | "drain" | "cpuMicros" | "tried" | "health" | "exactlyOnce" | "problems">
>;

/**
 * The pipeline with one transport next to the others, in turns, each on its own cluster: the highest rate that it
 * holds, what it makes of a backlog from cold, and what a transaction costs by part. Writes
 * `reports/bench-pipeline.json` and `.html`, anew after each round of each.
 *
 * @throws {UserError} when a decision was missing or repeated, or a round could not be finished
 */
export async function benchPipeline(options: PipelineOptions, signal: AbortSignal): Promise<void> {
  const { variants, rounds } = options;
  const step = stepView();
  await step("tools", (onProgress) => ensureTools({ onProgress }));
  const figures: Figures = {
    sustained: [],
    drain: [],
    cpuMicros: [],
    tried: [],
    health: [],
    exactlyOnce: [],
    problems: [],
  };
  for (let round = 1; round <= rounds; round++) {
    // The order turns, so that none always has the machine when it is fresh.
    for (const variant of round % 2 === 1 ? variants : variants.toReversed()) {
      const trial = { variant, round };
      try {
        await step(`${variant}, round ${round}`, (progress) => measure(trial, options, figures, progress, signal));
      } catch (error) {
        if (signal.aborted) throw error;
        figures.problems.push({ ...trial, what: error instanceof Error ? error.message : String(error) });
        process.stdout.write(`${variant}, round ${round}: ${figures.problems.at(-1)!.what}\n`);
      }
      const report = reportOf(options, figures);
      writeJsonReport(`${REPORT}.json`, report);
      writePage(`${REPORT}.html`, "The pipeline by transport", pageOf(report));
    }
  }
  const report = reportOf(options, figures);
  for (const one of report.summary) process.stdout.write(`${summaryLine(one)}\n`);
  const wrong = report.exactlyOnce.filter(({ missing, duplicates }) => (missing ?? 0) + duplicates > 0);
  if (wrong.length > 0)
    throw new UserError(
      `not exactly once: ${wrong.map(({ variant, round, missing, duplicates }) => `${variant}, round ${round}: ${missing ?? "?"} missing, ${duplicates} repeated`).join("; ")}`,
    );
  if (report.problems.length > 0)
    throw new UserError(`${report.problems.length} rounds could not be finished: see ${REPORT}.html`);
}

async function measure(
  trial: Trial,
  options: PipelineOptions,
  figures: Figures,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const plan = options.quick ? QUICK : FULL;
  const bed = await TestBed.start({
    ...trial,
    accounts: ACCOUNTS,
    merchants: MERCHANTS,
    stock: STOCK[options.quick ? "quick" : "full"] + options.backlog,
    progress,
    signal,
  });
  try {
    progress(`warming up at ${plan.warmUpRate}/s`);
    await bed.offer(plan.warmUpRate, plan.warmUpMs);
    const isCalm = await sustain(bed, trial, options, figures, progress, plan);
    figures.health.push({ ...trial, phase: "sustained", ...(await bed.health()) });
    if (!isCalm) progress("it does not work off what it was offered: its backlog comes on top");
    const drained = await bed.drain(options.backlog, plan.drainLimitMs, progress);
    figures.drain.push({
      ...trial,
      accounts: ACCOUNTS,
      keys: "uniform",
      perSecond: drained.perSecond,
      seconds: drained.seconds ?? null,
      waited: drained.waiting,
      decided: drained.decided,
    });
    addCpu(figures, trial, "drain", drained.cpuMicros);
    process.stdout.write(
      `${trial.variant}, round ${trial.round}: a backlog of ${drained.waiting.toLocaleString("en")} at ${drained.perSecond}/s${drained.seconds === undefined ? `, given up after ${plan.drainLimitMs / 1000} s with ${drained.decided} decided` : `, ${drained.seconds} s in all`}\n`,
    );
    figures.health.push({ ...trial, phase: "drain", ...(await bed.health()) });
    figures.exactlyOnce.push({
      ...trial,
      sent: bed.sent,
      missing: drained.seconds === undefined ? null : bed.sent - bed.decided,
      duplicates: bed.duplicates,
    });
  } finally {
    await bed.close();
  }
}

/** Looks for the highest rate that is held. @returns whether nothing waits in the end */
async function sustain(
  bed: TestBed,
  trial: Trial,
  options: PipelineOptions,
  figures: Figures,
  progress: (line: string) => void,
  plan: Plan,
): Promise<boolean> {
  // What is left of the warm-up would look like a rate that is not held.
  await bed.calm(CALM_LIMIT_MS);
  const known = figures.sustained
    .filter(({ variant, perSecond }) => variant === trial.variant && perSecond > 0)
    .map(({ perSecond }) => perSecond);
  const first = known.length > 0 ? spreadOf(known).median : await ramp(bed, progress, plan);
  const attempts: TriedRate[] = [];
  let isCalm = await bed.calm(CALM_LIMIT_MS);
  const most = known.length > 0 ? plan.attempts.later : plan.attempts.first;
  for (
    let rate = nextRate(first, attempts, most);
    rate !== undefined && isCalm;
    rate = nextRate(first, attempts, most)
  ) {
    progress(`${rate}/s for ${plan.confirmMs / 1000} s`);
    await bed.offer(rate, plan.settleMs);
    const watched = await bed.watch(rate, plan.confirmMs);
    const held =
      watched.lagGrowth <= rate * plan.leftOver.confirm &&
      watched.committedMs.p99 <= options.p99 &&
      watched.decidedPerSecond > 0;
    attempts.push({ ...trial, ...watched, held });
    process.stdout.write(
      `${trial.variant}, round ${trial.round}: ${rate}/s ${held ? "held" : "not held"}: ${watched.decidedPerSecond} decided/s, committed p50 ${watched.committedMs.p50} p99 ${watched.committedMs.p99} ms, ${watched.lag} on their way, ${watched.lagGrowth} more a second\n`,
    );
    isCalm = await bed.calm(CALM_LIMIT_MS);
  }
  figures.tried.push(...attempts);
  const best = highestHeld(attempts);
  const held = attempts.find((one) => one.held && one.offered === best);
  figures.sustained.push({
    ...trial,
    accounts: ACCOUNTS,
    keys: "uniform",
    perSecond: best ?? 0,
    committedMs: held?.committedMs ?? null,
  });
  if (held !== undefined) addCpu(figures, trial, "sustained", held.cpuMicros);
  return isCalm;
}

/** Offers more and more until it is too much. @returns the last rate that was not */
async function ramp(bed: TestBed, progress: (line: string) => void, plan: Plan): Promise<number> {
  let last = LOWEST;
  for (let rate = LOWEST; rate <= HIGHEST; rate = Math.round(rate * plan.rampFactor)) {
    progress(`${rate}/s`);
    await bed.offer(rate, plan.rampStepMs / 3);
    const { lag, lagGrowth, decidedPerSecond } = await bed.watch(rate, (plan.rampStepMs * 2) / 3);
    progress(`${rate}/s: ${decidedPerSecond} decided/s, ${lag} on their way, ${lagGrowth} more a second`);
    if (lagGrowth > rate * plan.leftOver.ramp || lag > rate * RAMP_LAG_S) break;
    last = rate;
  }
  return last;
}

function addCpu(
  figures: Figures,
  trial: Trial,
  phase: "sustained" | "drain",
  cpuMicros: Readonly<Record<string, number>>,
): void {
  for (const [part, perTransaction] of Object.entries(cpuMicros))
    figures.cpuMicros.push({ ...trial, phase, part, perTransaction });
}

function reportOf({ variants, backlog, p99, quick }: PipelineOptions, figures: Figures): PipelineReport {
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

const summaryLine = ({
  variant,
  sustainedPerSecond,
  drainPerSecond,
  sustainedCpuMicros,
  drainCpuMicros,
}: VariantSummary): string =>
  `${variant.padEnd(13)} holds ${shown(sustainedPerSecond)}/s at ${shown(sustainedCpuMicros)} µs a transaction; works a backlog off at ${shown(drainPerSecond)}/s and ${shown(drainCpuMicros)} µs`;

function pageOf(report: PipelineReport) {
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

/** What can be compared. */
export const VARIANTS = TRANSPORT_NAMES;
