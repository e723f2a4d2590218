import { setTimeout as delay } from "node:timers/promises";

import { type FlinkClient, flinkClient, poll, type RunningCluster } from "../../cluster/index.js";
import { latencies, type LoadResult, quantile, startLoadRun } from "../run/load-run.js";
import { type FaultKind, faultOf, type Target, UPGRADED_SETTINGS } from "./faults.js";
import { fits, schedule } from "./schedule.js";

/** Load before the first fault, of which the second half says what the calm is like: at first all is new to Java. */
const CALM_MS = 40_000;
/** Committed decisions lag behind by less when nothing waits. */
const CALM_LAG_MS = 2_000;
/** Nothing is decided so long after a fault: the run has failed. */
const RECOVERY_LIMIT_MS = 120_000;
const METRICS_LIMIT_MS = 5_000;
const ACCOUNTS = 5_000;
const MERCHANTS = 500;

export interface FailoverOptions {
  readonly kinds: readonly FaultKind[];
  readonly rate: number;
  /** Of the load, in seconds. */
  readonly duration: number;
  readonly seed: number;
  readonly runId: string;
  /** What the parts run as; default: processes. Reports say it, for not every kind of fault can be made in containers. */
  readonly where?: "processes" | "containers";
  /** Calm load before the first fault, in ms; default 40 s, or a quarter of a short run. */
  readonly calmMs?: number;
  readonly onProgress: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** One fault as it went. */
export interface FaultRecord {
  readonly kind: FaultKind;
  readonly description: string;
  /** From the beginning of the load, in ms. */
  readonly atMs: number;
  /** How long it lasted itself: 0 for a kill. */
  readonly lastedMs: number;
  /** From the fault to the first committed decision of a transaction that was accepted after it. */
  readonly recoveryMs: number;
  /** From the fault to the first transaction that was accepted after it. */
  readonly acceptedMs: number;
  /** Of the transactions sent from the fault to the next, in ms. */
  readonly committedP99Ms: number;
  /** Restarts of the Flink job that its JobManager counted meanwhile; −1: not known, as with another JobManager. */
  readonly jobRestarts: number;
}

/** "Unable to commit recovered transaction", as the TaskManager's log has it. */
export interface UncommittedLine {
  readonly transactionalId: string;
  readonly epoch: string;
  readonly line: string;
}

export interface FailoverResult extends LoadResult {
  readonly startedAtMs: number;
  readonly faults: readonly FaultRecord[];
  readonly calmP99Ms: number;
  readonly unableToCommit: readonly UncommittedLine[];
}

interface Injected {
  readonly kind: FaultKind;
  readonly beganMs: number;
  readonly endedMs: number;
  readonly jobRestarts: number;
}

/**
 * Drives load through the HTTP door and injects faults from a seeded schedule, the next when the last is recovered from; then
 * judges everything.
 */
export async function runFailover(target: Target, options: FailoverOptions): Promise<FailoverResult> {
  const { cluster, signal } = target;
  const { runId, rate, duration, onProgress, calmMs = Math.min(CALM_MS, (duration * 1000) / 4) } = options;
  const injected: Injected[] = [];
  let over: (jobRestarted: boolean) => void = () => undefined;
  let failed: (error: unknown) => void = () => undefined;
  const faultsOver = new Promise<{ readonly jobRestarted: boolean }>((resolve, reject) => {
    over = (jobRestarted) => resolve({ jobRestarted });
    failed = reject;
  });
  faultsOver.catch(() => undefined);
  const run = await startLoadRun(cluster, {
    runId,
    stages: [{ rate, seconds: duration, ramp: false }],
    accounts: ACCOUNTS,
    merchants: MERCHANTS,
    untilAcknowledged: true,
    settings: [UPGRADED_SETTINGS],
    beforeJudging: () => faultsOver,
    onProgress,
    signal,
  });
  await poll("k6 to send its first transactions", () => run.load.acknowledged().length > 0, { timeoutMs: 60_000, signal });
  const startedAtMs = run.load.acknowledged()[0]!.sentAtMs;
  const endMs = startedAtMs + duration * 1000;
  const backlogGone = () => poll("the backlog to be gone", () => Date.now() - run.watch.lastCountedAtMs() < CALM_LAG_MS, { timeoutMs: RECOVERY_LIMIT_MS, signal });
  try {
    await delay(calmMs, undefined, { signal });
    await backlogGone();
    for (const { kind, pauseMs } of schedule(options.kinds, options.seed)) {
      if (options.kinds.every((one) => !fits(one, endMs - Date.now()))) break;
      // A part may have given up in the fault before, and be about to start again.
      await everyPartRuns(target);
      // What an upgrade costs is to be seen, not what was left of the fault before.
      if (kind === "rolling-upgrade") await backlogGone();
      // After the load has ended nothing would come that could show a recovery.
      if (!fits(kind, endMs - Date.now())) continue;
      injected.push(await inject(target, kind, () => run.watch.lastCountedAtMs(), (line) => onProgress(`${Math.round((Date.now() - startedAtMs) / 1000)} s, fault ${injected.length + 1}: ${line}`)));
      await delay(pauseMs, undefined, { signal });
    }
    // −1 says nothing: another JobManager counts anew, and a busy one may not have answered.
    over(injected.some(({ jobRestarts }) => jobRestarts > 0));
  } catch (error) {
    failed(error);
    run.load.stop();
    throw error;
  }
  const result = await run.result;
  return {
    ...result,
    startedAtMs,
    faults: injected.map((fault, n) => recordOf(fault, injected[n + 1]?.beganMs ?? Infinity, startedAtMs, result)),
    calmP99Ms: Math.round(quantile(latencies(result.acknowledged, result.watch.committedAtMs, (sentAt) => sentAt >= startedAtMs + calmMs / 2 && sentAt < (injected[0]?.beganMs ?? Infinity) - CALM_LAG_MS), 0.99) ?? 0),
    unableToCommit: await unableToCommit(cluster),
  };
}

async function everyPartRuns({ cluster, signal }: Target): Promise<void> {
  await poll("every part to run", async () => {
    const { parts, job, running } = await cluster.status();
    if (!running) throw new Error(`${parts.filter(({ healthy }) => !healthy).map(({ part, pid }) => `${part} (${pid === undefined ? "stopped" : "no answer"})`).join(", ")}; the Flink job is ${job}`);
    return true;
  }, { timeoutMs: RECOVERY_LIMIT_MS, signal });
}

async function inject({ cluster, ...rest }: Target, kind: FaultKind, lastCountedAtMs: () => number, say: (line: string) => void): Promise<Injected> {
  const flink = flinkClient(cluster.settings);
  const before = await knownRestarts(flink, rest.signal);
  say(faultOf(kind).description);
  const beganMs = Date.now();
  await faultOf(kind).inject({ cluster, ...rest });
  const endedMs = Date.now();
  say(`${kind}, waiting for a committed decision of what came after it`);
  await poll(`a decision after ${kind}`, () => lastCountedAtMs() > endedMs, { timeoutMs: RECOVERY_LIMIT_MS, intervalMs: 20, ...(rest.signal && { signal: rest.signal }) });
  await flink.waitForRunning(RECOVERY_LIMIT_MS, rest.signal);
  const after = await knownRestarts(flink, rest.signal);
  return { kind, beganMs, endedMs, jobRestarts: before === undefined || after === undefined || after < before ? -1 : after - before };
}

/** Flink gathers its metrics only when somebody asks: the first answer may hold none. */
async function knownRestarts(flink: FlinkClient, signal: AbortSignal | undefined): Promise<number | undefined> {
  try {
    const { count } = await poll("Flink to tell its restarts", async () => {
      const count = await flink.restarts();
      return count !== "unreachable" && { count };
    }, { timeoutMs: METRICS_LIMIT_MS, signal });
    return count;
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

function recordOf({ kind, beganMs, endedMs, jobRestarts }: Injected, nextMs: number, startedAtMs: number, { acceptedAtMs, watch, acknowledged }: LoadResult): FaultRecord {
  let first = Infinity;
  let accepted = Infinity;
  for (const [n, acceptedAt] of acceptedAtMs.entries()) {
    const committedAt = watch.committedAtMs[n]!;
    if (acceptedAt > beganMs) accepted = Math.min(accepted, acceptedAt);
    if (acceptedAt > beganMs && committedAt > 0) first = Math.min(first, committedAt);
  }
  const slowest = quantile(latencies(acknowledged, watch.committedAtMs, (sentAt) => sentAt >= beganMs && sentAt < nextMs), 0.99) ?? 0;
  return { kind, description: faultOf(kind).description, atMs: beganMs - startedAtMs, lastedMs: endedMs - beganMs, recoveryMs: Math.round(first - beganMs), acceptedMs: Math.round(accepted - beganMs), committedP99Ms: Math.round(slowest), jobRestarts };
}

async function unableToCommit(cluster: RunningCluster): Promise<UncommittedLine[]> {
  const log = await cluster.log("taskmanager");
  return [...log.matchAll(/^.*Unable to commit recovered transaction.*$/gm)].map(([line]) => ({
    transactionalId: /transactionalId='?([^',}]+)/.exec(line)?.[1] ?? "?",
    epoch: /epoch='?(-?\d+)/.exec(line)?.[1] ?? "?",
    line: line.trim(),
  }));
}
