import { setTimeout as delay } from "node:timers/promises";

import { flinkClient, type RunningCluster } from "../../cluster/index.js";
import type { Transport } from "../../cluster/transports.js";
import { type Part, PARTS } from "../../cluster/settings.js";
import { quantile } from "../../contract/quantile.js";
import type { FlinkClient } from "../../flink/flink.js";
import { poll } from "../../process/poll.js";
import { latencies, type LoadResult, type LoadRun, startLoadRun } from "../run/load-run.js";
import { type FaultKind, faultOf, UPGRADED_SETTINGS } from "./faults.js";
import { ACCOUNTS, MERCHANTS } from "./kafka-load.js";
import { OVERLOAD_DEFAULTS, type OverloadRecord } from "./overload.js";
import { comesOnce, fits, isLong, needsOwnDisk, schedule } from "./schedule.js";
import type { LoadedTarget, OverloadOptions, Target } from "./target.js";

/** Load before the first fault; its second half shows what calm looks like, as Java needs a while to warm up. */
const CALM_MS = 40_000;
/** Committed decisions lag behind by less when nothing waits. */
const CALM_LAG_MS = 2_000;
/** On a busy machine k6 takes a while to begin. */
const K6_START_MS = 300_000;
/**
 * If nothing is decided for this long after a fault, the run has failed. Allows for a machine far slower than any of
 * ours.
 */
const RECOVERY_LIMIT_MS = 300_000;
/** If what waits is not worked off within this time, the machine cannot hold the rate. */
const BACKLOG_LIMIT_MS = 600_000;
const METRICS_LIMIT_MS = 5_000;
/**
 * How much longer than asked for the load may go on, until the last fault is recovered from, in seconds. A long fault
 * adds its own time.
 */
const OVERTIME_S = 1_200;
/** The lowest rate at which a backlog builds up, in transactions per second. */
const FILLED_PER_SECOND = 250;

export interface FailoverOptions {
  readonly kinds: readonly FaultKind[];
  readonly rate: number;
  /**
   * The duration of the load, in seconds; longer when a fault is not recovered from by then. With only long kinds it
   * ends when they do.
   */
  readonly duration: number;
  readonly seed: number;
  readonly runId: string;
  /**
   * What the parts run as; default: processes. The report says so, as not every kind of fault can be injected in
   * containers.
   */
  readonly where?: "processes" | "containers";
  /** How StateFun calls the functions, for the report; default `batching`. */
  readonly transport?: Transport;
  /** Injects each kind at least once, however long that takes: the load then lasts at least `duration`. */
  readonly everyKind?: boolean;
  /** Calm load before the first fault, in ms; default 40 s, or a quarter of a short run. */
  readonly calmMs?: number;
  /** Options of the long kinds; default: {@link OVERLOAD_DEFAULTS}. */
  readonly overload?: Partial<OverloadOptions>;
  readonly onProgress: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** One fault as it went. */
export interface FaultRecord {
  readonly kind: FaultKind;
  readonly description: string;
  /** From the beginning of the load, in ms. */
  readonly atMs: number;
  /** How long the fault itself lasted: 0 for a kill. */
  readonly lastedMs: number;
  /** From the fault to the first committed decision on a transaction that was accepted after it; −1: there was none. */
  readonly recoveryMs: number;
  /** From the fault to the first transaction that was accepted after it; −1: there was none. */
  readonly acceptedMs: number;
  /** Of the transactions sent from the fault to the next, in ms. */
  readonly committedP99Ms: number;
  /**
   * Restarts of the Flink job that its JobManager counted meanwhile; −1: not known, for example because there is a new
   * JobManager.
   */
  readonly jobRestarts: number;
  /** Parts that the watchdog replaced, from the fault to the next, each as often as it did. */
  readonly replaced: readonly Part[];
}

/** "Unable to commit recovered transaction" messages in the TaskManager's log. */
export interface UncommittedLine {
  readonly transactionalId: string;
  readonly epoch: string;
  readonly line: string;
}

export interface FailoverResult extends LoadResult {
  readonly startedAtMs: number;
  readonly faults: readonly FaultRecord[];
  /** The outcome of kinds that are more than a recovery. */
  readonly overloads: readonly OverloadRecord[];
  /** What went wrong besides the properties: then the run has failed, and its report says why. */
  readonly problems: readonly string[];
  readonly calmP99Ms: number;
  readonly unableToCommit: readonly UncommittedLine[];
}

interface Injected {
  readonly kind: FaultKind;
  readonly beganMs: number;
  readonly endedMs: number;
  readonly jobRestarts: number;
  /** How often the watchdog had replaced each part when it began. */
  readonly replacedBefore: ReplacedCounts;
}

/** By part; one that never was is not there. */
type ReplacedCounts = Readonly<Partial<Record<Part, number>>>;

/**
 * Drives load through the HTTP door and injects faults from a seeded schedule, each after recovery from the last, and
 * the long ones after all others; then judges everything. The load goes on until the last fault is recovered from.
 *
 * What goes wrong on the way ends up in the result's `problems`: whatever there is is judged anyway.
 */
export async function runFailover(target: Target, options: FailoverOptions): Promise<FailoverResult> {
  const { cluster, signal } = target;
  const { runId, rate, kinds, onProgress } = options;
  const overload = { ...OVERLOAD_DEFAULTS, ...options.overload };
  const went: Went = { injected: [], overloads: [], problems: [] };
  let over: (jobRestarted: boolean) => void = () => undefined;
  const faultsOver = new Promise<{ readonly jobRestarted: boolean }>(
    (resolve) => (over = (jobRestarted) => resolve({ jobRestarted })),
  );
  const run = await startLoadRun(cluster, {
    runId,
    stages: [{ rate, seconds: longest(options, overload), ramp: false }],
    accounts: ACCOUNTS,
    merchants: MERCHANTS,
    untilAcknowledged: true,
    turnedAway: kinds.some((kind) => isLong(kind) || needsOwnDisk(kind)),
    settings: [UPGRADED_SETTINGS],
    beforeJudging: () => faultsOver,
    onProgress,
    signal,
  });
  let startedAtMs = Date.now();
  // Its load is longer than everything to come: if k6 ends by itself, it was killed or could not go on.
  const k6Gone = new AbortController();
  let k6GoneAt: string | undefined;
  void run.load.finished.then(
    (code) => k6Gone.abort(new Error(`k6 ended by itself (exit code ${code})`)),
    (error: unknown) => k6Gone.abort(error),
  );
  const untilGone: Target = {
    ...target,
    signal: AbortSignal.any([k6Gone.signal, ...(signal === undefined ? [] : [signal])]),
  };
  const calmMs = options.calmMs ?? Math.min(CALM_MS, (options.duration * 1000) / 4);
  try {
    await poll("k6 to send its first transactions", () => run.load.acknowledged().length > 0, {
      timeoutMs: K6_START_MS,
      signal: untilGone.signal,
    });
    startedAtMs = run.load.acknowledged()[0]!.sentAtMs;
    await injectAll(
      {
        ...untilGone,
        runId,
        startedAtMs,
        rate,
        overload,
        say: (line) => onProgress(`${Math.round((Date.now() - startedAtMs) / 1000)} s, ${line}`),
      },
      run,
      options,
      calmMs,
      went,
    );
  } catch (error) {
    if (signal?.aborted === true) {
      run.load.stop();
      // k6 and the readers end together with the run, not some time later.
      await run.result.catch(() => undefined);
      throw error;
    }
    const at = `at ${Math.round((Date.now() - startedAtMs) / 1000)} s: `;
    // An early end of k6 is named below, once it is known what k6 said last.
    if (k6Gone.signal.aborted) k6GoneAt = at;
    else went.problems.push(`${at}${textOf(error)}`);
    onProgress(`${at}${textOf(k6Gone.signal.aborted ? k6Gone.signal.reason : error)}; judging what there is`);
  }
  // −1 means nothing: a new JobManager counts from zero, and a busy one may not have answered.
  over(went.injected.some(({ jobRestarts }) => jobRestarts > 0));
  run.load.end();
  const result = await run.result.catch((error: unknown) => {
    signal?.throwIfAborted();
    went.problems.push(`nothing could be judged: ${textOf(error)}`);
    return unjudged(run);
  });
  if (result.k6Problem !== undefined) went.problems.push(`${k6GoneAt ?? ""}${result.k6Problem}`);
  else if (k6GoneAt !== undefined) went.problems.push(`${k6GoneAt}${textOf(k6Gone.signal.reason)}`);
  const { injected, overloads, problems } = went;
  const replacedAtEnd = await replacedCounts(cluster);
  for (const part of replacedBetween({}, injected[0]?.replacedBefore ?? replacedAtEnd))
    problems.push(`${part} was replaced by the watchdog before any fault`);
  return {
    ...result,
    startedAtMs,
    faults: injected.map((fault, n) => ({
      ...recordOf(fault, injected[n + 1]?.beganMs ?? Infinity, startedAtMs, result),
      replaced: replacedBetween(fault.replacedBefore, injected[n + 1]?.replacedBefore ?? replacedAtEnd),
    })),
    overloads,
    problems,
    calmP99Ms: Math.round(
      quantile(
        latencies(
          result.acknowledged,
          result.watch.committedAtMs,
          (sentAt) => sentAt >= startedAtMs + calmMs / 2 && sentAt < (injected[0]?.beganMs ?? Infinity) - CALM_LAG_MS,
        ),
        0.99,
      ) ?? 0,
    ),
    unableToCommit: await unableToCommit(cluster),
  };
}

/** The outcome of the faults so far. */
interface Went {
  readonly injected: Injected[];
  readonly overloads: OverloadRecord[];
  readonly problems: string[];
}

async function injectAll(
  target: LoadedTarget,
  run: LoadRun,
  { kinds, rate, seed, duration, everyKind = false }: FailoverOptions,
  calmMs: number,
  { injected, overloads }: Went,
): Promise<void> {
  const { signal, startedAtMs } = target;
  const endMs = startedAtMs + duration * 1000;
  const backlogGone = () =>
    poll(
      `the backlog to be gone (does this machine hold ${rate} transactions a second? --rate)`,
      () => Date.now() - run.watch.lastCountedAtMs() < CALM_LAG_MS,
      { timeoutMs: BACKLOG_LIMIT_MS, signal },
    );
  const one = async (kind: FaultKind): Promise<void> => {
    const numbered: LoadedTarget = { ...target, say: (line) => target.say(`fault ${injected.length + 1}: ${line}`) };
    const { overload, ...fault } = await inject(numbered, kind, () => run.watch.lastCountedAtMs());
    if (overload !== undefined) overloads.push(overload);
    injected.push(fault);
  };
  await delay(calmMs, undefined, { signal });
  await backlogGone();
  const short = kinds.filter((kind) => !comesOnce(kind));
  const owed = new Set(everyKind ? short : []);
  if (short.length > 0) {
    for (const { kind, pauseMs } of schedule(short, seed)) {
      if (owed.size === 0 && short.every((one) => !fits(one, endMs - Date.now()))) break;
      // A part may have given up during the fault before, and be about to start again.
      await everyPartRuns(target);
      // The cost of the upgrade should show, not what is left of the fault before.
      if (kind === "rolling-upgrade") await backlogGone();
      if (!owed.delete(kind) && !fits(kind, endMs - Date.now())) continue;
      await one(kind);
      await delay(pauseMs, undefined, { signal });
    }
    await delay(Math.max(0, endMs - Date.now()), undefined, { signal });
  }
  for (const kind of kinds.filter(comesOnce)) {
    await everyPartRuns(target);
    await backlogGone();
    await one(kind);
  }
}

/** How long the load may last at most, in seconds. */
function longest(
  { kinds, duration }: FailoverOptions,
  { overloadSeconds, backlog, drainSeconds }: OverloadOptions,
): number {
  const more = {
    overload: overloadSeconds + 2 * drainSeconds,
    "cold-backlog": backlog / FILLED_PER_SECOND + drainSeconds,
  };
  return (
    duration +
    OVERTIME_S +
    Math.ceil(
      Object.entries(more).reduce((sum, [kind, seconds]) => sum + (kinds.some((one) => one === kind) ? seconds : 0), 0),
    )
  );
}

/** A run whose records are unknown. */
const unjudged = ({ load, watch }: LoadRun): LoadResult => ({
  verification: {
    verdict: "fail",
    accepted: 0,
    rejected: 0,
    decisions: 0,
    missing: 0,
    duplicates: 0,
    outOfOrder: 0,
    mismatches: 0,
    decisionsByLogicVersion: {},
    properties: [],
  },
  acknowledged: load.acknowledged(),
  watch,
  acceptedAtMs: new Float64Array(0),
  k6ExitCode: 1,
  k6Summary: "",
});

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function everyPartRuns({ cluster, signal }: Target): Promise<void> {
  await poll(
    "every part to run",
    async () => {
      const { parts, job, running } = await cluster.status();
      if (!running)
        throw new Error(
          `${parts
            .filter(({ healthy }) => !healthy)
            .map(({ part, pid }) => `${part} (${pid === undefined ? "stopped" : "no answer"})`)
            .join(", ")}; the Flink job is ${job}`,
        );
      return true;
    },
    { timeoutMs: RECOVERY_LIMIT_MS, signal },
  );
}

async function inject(
  target: LoadedTarget,
  kind: FaultKind,
  lastCountedAtMs: () => number,
): Promise<Injected & { readonly overload: OverloadRecord | undefined }> {
  const { cluster, say, signal } = target;
  const flink = flinkClient(cluster.settings);
  const before = await knownRestarts(flink, signal);
  const replacedBefore = await replacedCounts(cluster);
  say(faultOf(kind).description);
  const beganMs = Date.now();
  const overload = await faultOf(kind).inject(target);
  const endedMs = Date.now();
  say(`${kind}, waiting for a committed decision of what came after it`);
  await poll(`a decision after ${kind}`, () => lastCountedAtMs() > endedMs, {
    timeoutMs: RECOVERY_LIMIT_MS,
    intervalMs: 20,
    signal,
  });
  await flink.waitForRunning(RECOVERY_LIMIT_MS, signal);
  const after = await knownRestarts(flink, signal);
  return {
    overload,
    kind,
    beganMs,
    endedMs,
    replacedBefore,
    jobRestarts: before === undefined || after === undefined || after < before ? -1 : after - before,
  };
}

/** How often the watchdog has replaced each part since the cluster was started; in containers nobody counts. */
async function replacedCounts(cluster: RunningCluster): Promise<ReplacedCounts> {
  const { parts } = await cluster.status();
  return Object.fromEntries(parts.flatMap(({ part, replaced }) => (replaced ? [[part, replaced.count]] : [])));
}

const replacedBetween = (before: ReplacedCounts, after: ReplacedCounts): Part[] =>
  PARTS.flatMap((part) => Array<Part>((after[part] ?? 0) - (before[part] ?? 0)).fill(part));

/** Flink gathers its metrics only when asked: the first answer may hold none. */
async function knownRestarts(flink: FlinkClient, signal: AbortSignal | undefined): Promise<number | undefined> {
  try {
    const { count } = await poll(
      "Flink to tell its restarts",
      async () => {
        const count = await flink.restarts();
        return count !== "unreachable" && { count };
      },
      { timeoutMs: METRICS_LIMIT_MS, signal },
    );
    return count;
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

function recordOf(
  { kind, beganMs, endedMs, jobRestarts }: Injected,
  nextMs: number,
  startedAtMs: number,
  { acceptedAtMs, watch, acknowledged }: LoadResult,
): Omit<FaultRecord, "replaced"> {
  let first = Infinity;
  let accepted = Infinity;
  for (const [n, acceptedAt] of acceptedAtMs.entries()) {
    const committedAt = watch.committedAtMs[n]!;
    if (acceptedAt > beganMs) accepted = Math.min(accepted, acceptedAt);
    if (acceptedAt > beganMs && committedAt > 0) first = Math.min(first, committedAt);
  }
  const slowest =
    quantile(
      latencies(acknowledged, watch.committedAtMs, (sentAt) => sentAt >= beganMs && sentAt < nextMs),
      0.99,
    ) ?? 0;
  const since = (ms: number): number => (ms === Infinity ? -1 : Math.round(ms - beganMs));
  return {
    kind,
    description: faultOf(kind).description,
    atMs: beganMs - startedAtMs,
    lastedMs: endedMs - beganMs,
    recoveryMs: since(first),
    acceptedMs: since(accepted),
    committedP99Ms: Math.round(slowest),
    jobRestarts,
  };
}

async function unableToCommit(cluster: RunningCluster): Promise<UncommittedLine[]> {
  const log = await cluster.log("taskmanager");
  return [...log.matchAll(/^.*Unable to commit recovered transaction.*$/gm)].map(([line]) => ({
    transactionalId: /transactionalId='?([^',}]+)/.exec(line)?.[1] ?? "?",
    epoch: /epoch='?(-?\d+)/.exec(line)?.[1] ?? "?",
    line: line.trim(),
  }));
}
