import { writePage } from "../../terminal/html.js";
import { writeJsonReport } from "../../terminal/json-report.js";
import { stepView } from "../../terminal/step-view.js";
import { UserError } from "../../terminal/user-error.js";
import { ensureTools } from "../../tools/index.js";
import { spreadOf } from "../spread.js";
import { type Cell, cellName, cellsOf, isFilled, isUsual, MERCHANTS, stateBackendFor } from "./cells.js";
import { pageOf } from "./page.js";
import type { Watched } from "./figures.js";
import { FULL, type Plan, QUICK } from "./plan.js";
import { type Figures, noFigures, type PipelineOptions, reportOf, summaryLine, type TriedRate } from "./report.js";
import { highestHeld, leastMissed, nextRampRate, nextRate, type RampStep } from "./search.js";
import { TestBed } from "./test-bed.js";
import { VARIANTS } from "./variants/variants.js";

const REPORT = "reports/bench-pipeline";
const LOWEST = 20;
const HIGHEST = 30_000;
/** A rate is too much when decisions come so late, whatever else there is to see. */
const TOO_MUCH_S = 5;
/** Transactions of so many rates' confirmation are encoded ahead. */
const STOCK_WINDOWS = 2;
/** What is measured without a search is warmed up for so many times as long, at this share of its rate. */
const LONGER = 4;
const WARM_SHARE = 0.8;
/** What broke down where the search began is looked at again from this share of it on. */
const LOWER_SHARE = 0.25;
/** With other accounts or keys the search begins at this share of what ours holds with the usual ones. */
const OTHER_SHARE = 0.6;

/**
 * The pipeline beside its peers, in turns, each on its own cluster: the highest rate that it holds, latencies by hop,
 * recovery, and what it makes of a backlog from cold; what a transaction costs by part; and ours alone with other
 * numbers of accounts and other keys. Writes `reports/bench-pipeline.json` and `.html`, anew after each cell.
 *
 * @throws {UserError} when a decision was missing or repeated, or a cell could not be finished
 */
export async function benchPipeline(options: PipelineOptions, signal: AbortSignal): Promise<void> {
  const step = stepView();
  await step("tools", (onProgress) => ensureTools({ onProgress }));
  const plan = options.quick ? QUICK : FULL;
  const endMs = Date.now() + plan.limitMs;
  const figures = noFigures();
  const beganMs = Date.now();
  const write = () => {
    const report = reportOf(options, plan, figures, Math.round((Date.now() - beganMs) / 1000));
    writeJsonReport(`${REPORT}.json`, report);
    writePage(`${REPORT}.html`, "The pipeline beside its peers", pageOf(report));
    return report;
  };
  for (const cell of cellsOf(options)) {
    const name = cellName(cell);
    const leftMs = endMs - Date.now();
    if (leftMs < plan.cellLeastMs) {
      process.stdout.write(`${name}: left out, the time is over\n`);
      figures.skipped.push({ ...trialOf(cell), why: "the time for the whole was over" });
      continue;
    }
    const limitFromNow = (): AbortSignal =>
      AbortSignal.timeout(Math.max(1, Math.min(endMs - Date.now(), plan.cellLimitMs)));
    let limit = limitFromNow();
    try {
      const first = firstRate(cell, figures);
      const isDone = await step(name, (progress) =>
        measure(cell, first, plan, options, figures, progress, AbortSignal.any([signal, limit])),
      );
      if (!isDone) {
        // It broke down where the search began: once more, from far below.
        const lower: Guess = { rate: Math.round(first.rate * LOWER_SHARE), isKnown: false, isLast: true };
        limit = limitFromNow();
        await step(`${name}, again`, (progress) =>
          measure(cell, lower, plan, options, figures, progress, AbortSignal.any([signal, limit])),
        );
      }
    } catch (error) {
      if (signal.aborted) throw error;
      const what = limit.aborted
        ? "its time was over: what stands here of it was measured before"
        : error instanceof Error
          ? error.message
          : String(error);
      // A run that ends when its time is over has not failed.
      if (limit.aborted && Date.now() >= endMs) figures.skipped.push({ ...trialOf(cell), why: what });
      else figures.problems.push({ ...trialOf(cell), what });
      process.stdout.write(`${name}: ${what}\n`);
    }
    write();
  }
  const report = write();
  for (const one of report.summary) process.stdout.write(`${summaryLine(one)}\n`);
  const wrong = report.exactlyOnce.filter(({ missing, duplicates }) => (missing ?? 0) + duplicates > 0);
  if (wrong.length > 0)
    throw new UserError(
      `not exactly once: ${wrong.map((one) => `${cellName(one)}: ${one.missing ?? "?"} missing, ${one.duplicates} repeated`).join("; ")}`,
    );
  if (report.problems.length > 0)
    throw new UserError(`${report.problems.length} cells could not be finished: see ${REPORT}.html`);
}

const trialOf = ({ variant, accounts, keys, round }: Cell) => ({ variant, accounts, keys, round });

/** @returns whether it was measured: not if it broke down at the first rates already, and may be looked at again */
async function measure(
  cell: Cell,
  guess: Guess,
  plan: Plan,
  options: PipelineOptions,
  figures: Figures,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const trial = trialOf(cell);
  const { accounts, phases } = cell;
  const eachOnce = isFilled(accounts);
  const bed = await TestBed.start({
    ...trial,
    merchants: MERCHANTS,
    stateBackend: options.stateBackend ?? stateBackendFor(accounts),
    ...(options.parallelism !== undefined && { parallelism: options.parallelism }),
    eachOnce,
    progress,
    signal,
  });
  try {
    figures.starts.push({ ...trial, seconds: bed.startSeconds });
    const accountsFilled = eachOnce ? await bed.fill(accounts, plan.fillLimitMs, progress) : null;
    await bed.calm(plan.calmLimitMs);
    const stock =
      Math.min(plan.stock, Math.round((guess.rate * STOCK_WINDOWS * plan.confirmMs) / 1000)) +
      (phases.includes("drain") ? options.backlog : 0);
    progress(`encoding ${stock.toLocaleString("en")} transactions`);
    await bed.stock(stock);
    // Without the search, which warms it up further, it would not be as warm as those with one.
    const warm = phases.includes("sustained")
      ? { rate: Math.round(guess.rate / 2), ms: plan.warmUpMs }
      : { rate: Math.round(reference(cell, figures) * WARM_SHARE), ms: plan.warmUpMs * LONGER };
    progress(`warming up at ${warm.rate}/s`);
    await bed.offer(warm.rate, warm.ms);
    // What is left of the warm-up would look like a rate that is not held.
    let isCalm = await bed.calm(plan.calmLimitMs);
    let holds = true;
    if (phases.includes("sustained")) {
      isCalm = await sustain(bed, cell, guess, plan, options, figures, progress);
      if (!isCalm && !guess.isLast && figures.trials.at(-1)?.perSecond === 0) {
        figures.trials.pop();
        return false;
      }
      holds = (figures.trials.at(-1)?.perSecond ?? 0) > 0;
    }
    figures.state.push({
      ...trial,
      accountsFilled,
      decided: bed.decided,
      ...(await bed.state()),
    });
    if (isCalm && holds && phases.includes("latency")) isCalm = await latencies(bed, cell, plan, figures, progress);
    figures.health.push({ ...trial, phase: "load", ...(await bed.health()) });
    if (isCalm && holds && phases.includes("recovery")) isCalm = await recovery(bed, cell, plan, figures, progress);
    if (phases.includes("drain")) await drain(bed, cell, isCalm, plan, options, figures, progress);
    else
      figures.exactlyOnce.push({
        ...trial,
        sent: bed.sent,
        missing: isCalm ? bed.sent - bed.decided : null,
        duplicates: bed.duplicates,
      });
    return true;
  } finally {
    await bed.close();
  }
}

/** Where the search begins, and whether it is from a measurement of the same. */
interface Guess {
  readonly rate: number;
  readonly isKnown: boolean;
  /** What it breaks down at is the result. */
  readonly isLast?: true;
}

function firstRate({ variant, accounts, keys }: Cell, { trials }: Figures): Guess {
  const heldOf = (of: string, sameLoad: boolean): number[] =>
    trials
      .filter(
        (one) =>
          one.variant === of &&
          one.perSecond > 0 &&
          (sameLoad ? one.accounts === accounts && one.keys === keys : isUsual(one)),
      )
      .map(({ perSecond }) => perSecond);
  const same = heldOf(variant, true);
  if (same.length > 0) return { rate: spreadOf(same).median, isKnown: true };
  const usual = heldOf("batching", false);
  if (usual.length > 0 && (variant === "batching" || variant === "at-least-once"))
    return { rate: Math.round(spreadOf(usual).median * OTHER_SHARE), isKnown: false };
  return { rate: VARIANTS[variant].firstRate, isKnown: false };
}

/** The rate of which latencies and recovery take a share: what this cell's pipeline holds, or where one would begin. */
function reference(cell: Cell, figures: Figures): number {
  const own = firstRate(cell, figures);
  // At the same rate both guarantees can be compared.
  return cell.variant === "at-least-once" ? firstRate({ ...cell, variant: "batching" }, figures).rate : own.rate;
}

/** Looks for the highest rate that is held. @returns whether nothing waits in the end */
async function sustain(
  bed: TestBed,
  cell: Cell,
  guess: Guess,
  plan: Plan,
  options: PipelineOptions,
  figures: Figures,
  progress: (line: string) => void,
): Promise<boolean> {
  const trial = trialOf(cell);
  const isHeld = (watched: Watched, leftOver: number): boolean =>
    !watched.cutShort &&
    watched.lagGrowth <= watched.offered * leftOver &&
    watched.committedMs.p99 <= options.p99 &&
    watched.decidedPerSecond > 0;
  const ramped = guess.isKnown
    ? { rate: guess.rate, isCalm: true }
    : await ramp(bed, guess.rate, plan, (watched) => isHeld(watched, plan.leftOver.ramp), progress);
  const first = ramped.rate;
  let { isCalm } = ramped;
  const most = plan.attempts[guess.isKnown ? "later" : isUsual(cell) ? "first" : "alone"];
  const attempts: TriedRate[] = [];
  try {
    for (
      let rate = nextRate(first, attempts, most);
      rate !== undefined && isCalm;
      rate = nextRate(first, attempts, most)
    ) {
      progress(`${rate}/s for ${plan.confirmMs / 1000} s`);
      await bed.offer(rate, plan.settleMs);
      const watched = await bed.watch(rate, plan.confirmMs, rate * TOO_MUCH_S);
      const held = isHeld(watched, plan.leftOver.confirm);
      attempts.push({ ...trial, ...watched, held });
      process.stdout.write(
        `${cellName(cell)}: ${rate}/s ${held ? "held" : "not held"}: ${watched.decidedPerSecond} decided/s, committed p50 ${watched.committedMs.p50} p99 ${watched.committedMs.p99} ms, ${watched.lag} on their way, ${watched.lagGrowth} more a second\n`,
      );
      isCalm = await bed.calm(plan.calmLimitMs);
    }
  } catch (error) {
    // Its time is over, or a part has died: what was held before stands.
    if (highestHeld(attempts) !== undefined) recordSearch(cell, attempts, false, figures);
    throw error;
  }
  recordSearch(cell, attempts, !isCalm, figures);
  if (!isCalm) progress("it does not work off what it was offered");
  return isCalm;
}

function recordSearch(cell: Cell, attempts: readonly TriedRate[], collapsed: boolean, figures: Figures): void {
  figures.tried.push(...attempts);
  const best = highestHeld(attempts);
  const held = attempts.find((one) => one.held && one.offered === best);
  figures.trials.push({
    ...trialOf(cell),
    perSecond: best ?? 0,
    notHeld: leastMissed(attempts) ?? null,
    committedMs: held?.committedMs ?? null,
    collapsed,
  });
  if (held !== undefined) addCpu(figures, cell, "sustained", held.cpuMicros);
}

/**
 * Offers rates for a short time each, until it is about clear what is too much.
 *
 * @returns the highest that was not, and whether nothing waits in the end
 */
async function ramp(
  bed: TestBed,
  first: number,
  plan: Plan,
  isHeld: (watched: Watched) => boolean,
  progress: (line: string) => void,
): Promise<{ readonly rate: number; readonly isCalm: boolean }> {
  const steps: RampStep[] = [];
  const next = (): number | undefined => nextRampRate(first, steps, plan.rampFactor);
  for (let rate = next(); rate !== undefined && rate >= LOWEST && rate <= HIGHEST; rate = next()) {
    progress(`${rate}/s`);
    await bed.offer(rate, plan.rampStepMs / 3);
    const watched = await bed.watch(rate, (plan.rampStepMs * 2) / 3, rate * TOO_MUCH_S);
    const { offered, lag, committedMs, decidedPerSecond } = watched;
    const held = isHeld(watched);
    steps.push({ offered, held, decidedPerSecond });
    progress(
      `${rate}/s: ${decidedPerSecond} decided/s, ${lag} on their way, p99 ${committedMs.p99} ms: ${held ? "goes" : "too much"}`,
    );
    if (!held && !(await bed.calm(plan.calmLimitMs))) return { rate: highestHeld(steps) ?? LOWEST, isCalm: false };
  }
  return { rate: highestHeld(steps) ?? LOWEST, isCalm: await bed.calm(plan.calmLimitMs) };
}

/** @returns whether nothing waits in the end */
async function latencies(
  bed: TestBed,
  cell: Cell,
  plan: Plan,
  figures: Figures,
  progress: (line: string) => void,
): Promise<boolean> {
  const ways = [
    ...cell.shares.map((share) => ({ share, throughIntake: false })),
    ...(cell.variant === "batching" ? [{ share: 0.5, throughIntake: true }] : []),
  ];
  for (const { share, throughIntake } of ways) {
    const rate = Math.max(1, Math.round(reference(cell, figures) * share));
    progress(`latencies at ${rate}/s${throughIntake ? " through the intake" : ""}`);
    const { latencySettleMs: settleMs, latencyMs: forMs } = plan;
    const latency = await bed.latency(rate, { settleMs, forMs, throughIntake });
    if (latency !== undefined) figures.latency.push({ ...trialOf(cell), share, throughIntake, ...latency });
    if (!(await bed.calm(plan.calmLimitMs))) return false;
  }
  return true;
}

/** @returns whether nothing waits in the end */
async function recovery(
  bed: TestBed,
  cell: Cell,
  plan: Plan,
  figures: Figures,
  progress: (line: string) => void,
): Promise<boolean> {
  const perSecond = Math.max(1, Math.round(reference(cell, figures) / 2));
  progress(`the TaskManager is killed at ${perSecond}/s`);
  const recovered = await bed.recover(perSecond, 2 * plan.latencySettleMs, plan.recoveryLimitMs);
  figures.recovery.push({ ...trialOf(cell), perSecond, ...recovered });
  return await bed.calm(plan.calmLimitMs);
}

async function drain(
  bed: TestBed,
  cell: Cell,
  isCalm: boolean,
  plan: Plan,
  options: PipelineOptions,
  figures: Figures,
  progress: (line: string) => void,
): Promise<void> {
  const trial = trialOf(cell);
  if (!isCalm) progress("its backlog comes on top");
  const drained = await bed.drain(options.backlog, plan.drainLimitMs, progress);
  figures.drains.push({
    ...trial,
    perSecond: drained.perSecond,
    seconds: drained.seconds ?? null,
    firstSeconds: drained.firstSeconds ?? null,
    waited: drained.waiting,
    decided: drained.decided,
  });
  addCpu(figures, cell, "drain", drained.cpuMicros);
  process.stdout.write(
    `${cellName(cell)}: a backlog of ${drained.waiting.toLocaleString("en")} at ${drained.perSecond}/s${drained.seconds === undefined ? `, given up after ${plan.drainLimitMs / 1000} s with ${drained.decided} decided` : `, ${drained.seconds} s in all`}\n`,
  );
  figures.health.push({ ...trial, phase: "drain", ...(await bed.health()) });
  figures.exactlyOnce.push({
    ...trial,
    sent: bed.sent,
    missing: drained.seconds === undefined ? null : bed.sent - bed.decided,
    duplicates: bed.duplicates,
  });
}

function addCpu(
  figures: Figures,
  cell: Cell,
  phase: "sustained" | "drain",
  cpuMicros: Readonly<Record<string, number>>,
): void {
  for (const [part, perTransaction] of Object.entries(cpuMicros))
    figures.cpuMicros.push({ ...trialOf(cell), phase, part, perTransaction });
}
