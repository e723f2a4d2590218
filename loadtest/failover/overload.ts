import { setTimeout as delay } from "node:timers/promises";

import { endpoints, flinkClient } from "../../cluster/index.js";
import type { Part } from "../../cluster/settings.js";
import { poll } from "../../process/poll.js";
import { aheadOfOthers } from "../../process/priority.js";
import { type BusyMachine, keepMachineBusy } from "./busy-machine.js";
import { type Course, figuresOf, type Limit, limitsOf, type Stretch, type StretchFigures } from "./figures.js";
import { KafkaLoad } from "./kafka-load.js";
import { type Sample, Sampler } from "./sampler.js";
import type { LoadedTarget, OverloadOptions } from "./target.js";

/**
 * While the sustained rate is measured: how much waits in front of the cluster at any time, and how long this goes on.
 */
const SATURATED = 20_000;
const SATURATE_MS = 60_000;
const MEASURE_MS = 30_000;
/** When nothing moves for this long, it will not drain. */
const STUCK_MS = 180_000;
/** Calm means that next to nothing waits and nothing restarts for this long. */
const CALM_MS = 10_000;
const TELL_MS = 5_000;
const JOB_LIMIT_MS = 300_000;
/** What comes over HTTP meanwhile waits for a checkpoint; some seconds' worth of it is not a backlog. */
const ORDINARY_SECONDS = 5;
const ORDINARY = 500;
/** How much is left of a backlog once its partitions no longer need to drain at the same speed. */
const TAIL = 0.1;
/** The parts that start cold. */
const COLD_PARTS = ["jobmanager", "taskmanager", "functions"] as const satisfies readonly Part[];

export const OVERLOAD_DEFAULTS: OverloadOptions = {
  overloadSeconds: 600,
  busy: false,
  backlog: 500_000,
  drainSeconds: 3_600,
};

/**
 * How an overload went, in `reports/failover.json`. Field names are stable; times are in ms from the beginning of the
 * run's load.
 */
export interface OverloadRecord extends StretchFigures {
  readonly kind: "busy-machine" | "overload" | "cold-backlog";
  /** Transactions that went in through Kafka's door. */
  readonly sent: number;
  /** Transactions per second while it was offered; for a cold backlog, while it was written. */
  readonly offeredPerSecond: number;
  /** The rate that the cluster holds, measured or given; 0: not asked. */
  readonly sustainedPerSecond: number;
  /** The share of the processors that competing programs had; 0 without any. */
  readonly busyShare: number;
  readonly loaded: Stretch;
  readonly watched: Stretch;
  /** In ms after the load's end (for a cold backlog: after the start); −1: not within the limit. */
  readonly drainedMs: number;
  readonly calmMs: number;
  readonly limits: readonly Limit[];
  readonly samples: readonly Sample[];
}

/** Gives other programs half of the processors for a while. */
export async function competingPrograms(target: LoadedTarget, forMs: number): Promise<OverloadRecord> {
  return await sampled(target, async (sampler) => {
    const busy = keepMachineBusy();
    let busyShare = 0;
    const fromMs = now(target);
    try {
      await delay(forMs, undefined, { signal: target.signal });
      busyShare = busy.share();
    } finally {
      await busy.stop();
    }
    const endMs = now(target);
    const { drainedMs, calmMs } = await drained(target, sampler, endMs);
    return {
      kind: "busy-machine",
      sent: 0,
      offeredPerSecond: 0,
      sustainedPerSecond: 0,
      busyShare,
      cold: false,
      sinceMs: fromMs,
      loaded: { fromMs, untilMs: endMs },
      drainedMs,
      calmMs,
    };
  });
}

/**
 * Offers twice what the cluster holds through Kafka's door; then all of it must be decided, and the cluster calm.
 */
export async function overloaded(target: LoadedTarget): Promise<OverloadRecord> {
  const { overload, say, signal, runId } = target;
  return await sampled(target, async (sampler) => {
    const busy: BusyMachine | undefined = overload.busy ? keepMachineBusy() : undefined;
    let load: KafkaLoad | undefined;
    try {
      const { sustained, sent } =
        overload.sustained === undefined
          ? await sustainedRate(target, sampler)
          : { sustained: overload.sustained, sent: 0 };
      const rate = 2 * sustained;
      load = await KafkaLoad.connect({
        brokers: endpoints(target.cluster.settings).kafka,
        runId: `${runId}.over`,
        atMost: rate * overload.overloadSeconds + 1,
      });
      say(`it holds ${sustained}/s; ${rate}/s are offered for ${overload.overloadSeconds} s`);
      const fromMs = now(target);
      const end = new AbortController();
      const telling = tell(
        target,
        sampler,
        end.signal,
        () => `${load!.sent} of ${rate * overload.overloadSeconds} sent`,
      );
      await load.atRate(rate, overload.overloadSeconds * 1000, signal).finally(() => end.abort());
      await telling;
      const busyShare = busy?.share() ?? 0;
      await busy?.stop();
      const untilMs = now(target);
      const { drainedMs, calmMs } = await drained(target, sampler, untilMs);
      return {
        kind: "overload",
        sent: sent + load.sent,
        offeredPerSecond: Math.round(load.sent / ((untilMs - fromMs) / 1000)),
        sustainedPerSecond: sustained,
        busyShare,
        cold: false,
        sinceMs: fromMs,
        loaded: { fromMs, untilMs },
        drainedMs,
        calmMs,
      };
    } finally {
      await busy?.stop();
      await load?.close();
    }
  });
}

/** The job and the functions are down while a backlog builds up; then they start, cold, and decide it. */
export async function coldBacklog(target: LoadedTarget): Promise<OverloadRecord> {
  const { cluster, overload, say, signal, runId } = target;
  return await sampled(target, async (sampler) => {
    for (const part of COLD_PARTS) cluster.hold(part);
    let load: KafkaLoad | undefined;
    try {
      for (const part of COLD_PARTS) cluster.kill(part);
      load = await KafkaLoad.connect({
        brokers: endpoints(cluster.settings).kafka,
        runId: `${runId}.cold`,
        atMost: overload.backlog,
      });
      const fillingMs = now(target);
      const end = new AbortController();
      const telling = tell(
        target,
        sampler,
        end.signal,
        () => `the job is down; ${load!.sent} of ${overload.backlog} sent`,
      );
      await load.send(overload.backlog, signal).finally(() => end.abort());
      await telling;
      const filledMs = now(target);
      say("the job and the functions start, cold");
      const busy = overload.busy ? keepMachineBusy() : undefined;
      try {
        const startMs = now(target);
        for (const part of COLD_PARTS.toReversed()) await cluster.release(part);
        await flinkClient(cluster.settings).waitForRunning(JOB_LIMIT_MS, signal);
        const runningMs = now(target);
        const { drainedMs, calmMs } = await drained(target, sampler, startMs);
        // Towards the end one partition may be empty while another is not: that is not a loss of speed.
        const nearlyGone = sampler.samples.find(
          (sample) => sample.atMs > runningMs && (waiting(sample) ?? Infinity) < overload.backlog * TAIL,
        );
        return {
          kind: "cold-backlog",
          sent: load.sent,
          offeredPerSecond: Math.round(load.sent / ((filledMs - fillingMs) / 1000)),
          sustainedPerSecond: 0,
          busyShare: busy?.share() ?? 0,
          cold: true,
          sinceMs: startMs,
          loaded: { fromMs: runningMs, untilMs: nearlyGone?.atMs ?? now(target) },
          drainedMs,
          calmMs,
        };
      } finally {
        await busy?.stop();
      }
    } finally {
      for (const part of COLD_PARTS.toReversed()) await cluster.release(part);
      await load?.close();
    }
  });
}

interface Went extends Omit<Course, "watched"> {
  /** From when restarts and checkpoints count. */
  readonly sinceMs: number;
  readonly kind: OverloadRecord["kind"];
  readonly sent: number;
  readonly offeredPerSecond: number;
  readonly sustainedPerSecond: number;
  readonly busyShare: number;
}

async function sampled(target: LoadedTarget, work: (sampler: Sampler) => Promise<Went>): Promise<OverloadRecord> {
  const sampler = new Sampler(target.cluster, target.startedAtMs);
  const back = aheadOfOthers();
  sampler.start();
  try {
    const { cold, drainedMs, calmMs, sinceMs, ...went } = await work(sampler);
    const course: Course = {
      loaded: went.loaded,
      watched: { fromMs: sinceMs, untilMs: now(target) },
      cold,
      drainedMs,
      calmMs,
    };
    const figures = figuresOf(sampler.samples, course);
    const limits = limitsOf(sampler.samples, figures, course);
    return {
      ...went,
      ...figures,
      watched: course.watched,
      drainedMs: drainedMs ?? -1,
      calmMs: calmMs ?? -1,
      limits,
      samples: sampler.samples,
    };
  } finally {
    await sampler.stop();
    back();
  }
}

/** Transactions and labels that wait in front of the intake and the job; `undefined` when that is not known. */
const waiting = ({ beforeDoor, beforeJob }: Sample): number | undefined =>
  beforeDoor === undefined || beforeJob === undefined ? undefined : beforeDoor + beforeJob;

const now = ({ startedAtMs }: LoadedTarget): number => Date.now() - startedAtMs;

/** What the cluster decides per second when there is always more, including what comes over HTTP. */
async function sustainedRate(
  target: LoadedTarget,
  sampler: Sampler,
): Promise<{ readonly sustained: number; readonly sent: number }> {
  const { say, signal, runId, cluster } = target;
  const load = await KafkaLoad.connect({
    brokers: endpoints(cluster.settings).kafka,
    runId: `${runId}.full`,
    atMost: 10_000_000,
  });
  try {
    const endMs = now(target) + SATURATE_MS;
    say(`measuring what the cluster holds, for ${SATURATE_MS / 1000} s`);
    while (now(target) < endMs) {
      const { beforeDoor = SATURATED, beforeJob = 0 } = await nextSample(sampler, signal);
      const missing = SATURATED - beforeDoor - beforeJob;
      if (missing > 0) await load.send(missing, signal);
    }
    const known = sampler.samples.filter(({ atMs, decided }) => atMs >= endMs - MEASURE_MS && decided !== undefined);
    const [first, last] = [known[0], known.at(-1)];
    const sustained =
      first === undefined || last === undefined || first === last
        ? 0
        : Math.round(((last.decided! - first.decided!) / (last.atMs - first.atMs)) * 1000);
    if (sustained <= 0)
      throw new Error(`nothing was decided for ${MEASURE_MS / 1000} s while the sustained rate was measured`);
    await drained(target, sampler, now(target));
    return { sustained, sent: load.sent };
  } finally {
    await load.close();
  }
}

/** A sample that begins after now, so that it shows what was sent before. */
async function nextSample(sampler: Sampler, signal: AbortSignal | undefined): Promise<Sample> {
  const count = sampler.samples.length;
  return await poll("a sample", () => sampler.samples[count + 1], { timeoutMs: STUCK_MS, intervalMs: 50, signal });
}

/**
 * Waits until next to nothing is left in front of the job, and then until it is calm.
 *
 * @returns when, after the given time; `undefined`: not in time
 */
async function drained(
  target: LoadedTarget,
  sampler: Sampler,
  sinceMs: number,
): Promise<{ readonly drainedMs: number | undefined; readonly calmMs: number | undefined }> {
  const { overload, rate, signal } = target;
  const ordinary = ORDINARY + ORDINARY_SECONDS * rate;
  const giveUpMs = now(target) + overload.drainSeconds * 1000;
  const low = (sample: Sample): boolean => (waiting(sample) ?? Infinity) <= ordinary;
  const end = new AbortController();
  const telling = tell(target, sampler, end.signal, () => "draining");
  let movedMs = now(target);
  let most = -1;
  let drainedAtMs: number | undefined;
  let lowSinceMs: number | undefined;
  let restarts: number | undefined;
  try {
    for (let seen = sampler.samples.length; ;) {
      await poll("a sample", () => sampler.samples.length > seen, { timeoutMs: STUCK_MS, intervalMs: 100, signal });
      for (; seen < sampler.samples.length; seen++) {
        const sample = sampler.samples[seen]!;
        if ((sample.decided ?? -1) > most) {
          most = sample.decided ?? most;
          movedMs = sample.atMs;
        }
        const restarted = sample.restarts !== undefined && restarts !== undefined && sample.restarts !== restarts;
        restarts = sample.restarts ?? restarts;
        if (!low(sample) || restarted) lowSinceMs = undefined;
        else {
          lowSinceMs ??= sample.atMs;
          drainedAtMs ??= sample.atMs;
        }
        if (lowSinceMs !== undefined && sample.atMs - lowSinceMs >= CALM_MS)
          return { drainedMs: Math.max(0, drainedAtMs! - sinceMs), calmMs: Math.max(0, lowSinceMs - sinceMs) };
      }
      if (now(target) > giveUpMs || now(target) - movedMs > STUCK_MS)
        return { drainedMs: drainedAtMs === undefined ? undefined : drainedAtMs - sinceMs, calmMs: undefined };
    }
  } finally {
    end.abort();
    await telling;
  }
}

/** Reports now and then how much waits, how fast it is going, and how long it will take. */
async function tell(
  { say, signal }: LoadedTarget,
  sampler: Sampler,
  end: AbortSignal,
  what: () => string,
): Promise<void> {
  const until = signal === undefined ? end : AbortSignal.any([signal, end]);
  let before = sampler.last;
  while (!until.aborted) {
    await delay(TELL_MS, undefined, { signal: until }).catch(() => undefined);
    const last = sampler.last;
    if (until.aborted || last === undefined) continue;
    const seconds = before === undefined ? 0 : (last.atMs - before.atMs) / 1000;
    const decided = seconds === 0 ? 0 : ((last.decided ?? 0) - (before?.decided ?? 0)) / seconds;
    const left = waiting(last) ?? 0;
    const gone = seconds === 0 || before === undefined ? 0 : ((waiting(before) ?? 0) - left) / seconds;
    say(
      `${what()}: ${left.toLocaleString("en")} wait, ${Math.round(decided)}/s decided${gone > 0 ? `, gone in about ${Math.ceil(left / gone)} s` : ""}; restarts ${last.restarts ?? "?"}`,
    );
    before = last;
  }
}
