import { TRANSPORT_NAMES } from "../../cluster/transports.js";
import { writePage } from "../../terminal/html.js";
import { writeJsonReport } from "../../terminal/json-report.js";
import { stepView } from "../../terminal/step-view.js";
import { UserError } from "../../terminal/user-error.js";
import { ensureTools } from "../../tools/index.js";
import {
  ACCOUNTS,
  type Figures,
  MERCHANTS,
  pageOf,
  type PipelineOptions,
  reportOf,
  summaryLine,
  type Trial,
  type TriedRate,
} from "./report.js";
import { spreadOf } from "../spread.js";
import { highestHeld, nextRate } from "./search.js";
import { TestBed } from "./test-bed.js";

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

/** What can be compared. */
export const VARIANTS = TRANSPORT_NAMES;
