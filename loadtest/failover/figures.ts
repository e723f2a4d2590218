import { quantile } from "../../contract/quantile.js";
import { type Sample, SAMPLED_PARTS, type SampledPart } from "./sampler.js";

const WINDOW_MS = 10_000;
/**
 * Over a stretch of this length the throughput must be near its best: a shorter one shows checkpoints and garbage
 * collections.
 */
const STEADY_WINDOW_MS = 30_000;
/**
 * After this long Java has compiled what is used most; before, a stretch that begins cold is not judged by its
 * throughput.
 */
const COLD_MS = 60_000;
/** The thirds of a shorter stretch show caches filling. */
const MEMORY_STRETCH_MS = 180_000;

/** Bounds that an overload must keep. */
export const LIMITS = {
  restarts: 0,
  /** The share of all checkpoints that may fail. */
  checkpointsFailed: 0.01,
  /** The mean memory of the last third compared with that of the second. */
  memoryGrowth: 1.05,
  /** A small process varies by this much with each garbage collection. */
  memorySlackBytes: 16 * 1024 * 1024,
  /**
   * The share of the best 30 s. Not closer to 1: a virtual machine shares its processors with others, checkpoints grow
   * with what is in flight, and the programs beside it come and go. A collapse falls far lower: to a tenth, and stays
   * there.
   */
  throughput: 0.6,
} as const;

/** A stretch of a run, in ms from the load's beginning. */
export interface Stretch {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** One bound, and whether it was kept. */
export interface Limit {
  readonly name: "restarts" | "checkpoints-failed" | "memory" | "throughput" | "drained" | "accepted";
  readonly what: string;
  readonly held: boolean;
}

export interface PartMemory {
  /** In bytes, over the second and the last third of the stretch. */
  readonly second: { readonly mean: number; readonly max: number };
  readonly last: { readonly mean: number; readonly max: number };
  /** The maximum of the first two thirds. */
  readonly earlierMax: number;
  /** The ratio of the last third's mean to the second's. */
  readonly ratio: number;
}

/** What the samples of a stretch add up to. */
export interface StretchFigures {
  /** Decisions per second, in windows of 10 s. */
  readonly decidedPerSecond: { readonly min: number; readonly median: number; readonly max: number };
  /** The slowest 30 s as a share of the fastest. */
  readonly slowestShare: number;
  readonly jobRestarts: number;
  readonly checkpoints: {
    readonly completed: number;
    readonly failed: number;
    readonly failedShare: number;
    readonly p50Ms: number;
    readonly p99Ms: number;
    readonly lastBytes: number;
  };
  readonly memory: Readonly<Partial<Record<SampledPart | "taskmanagerHeap", PartMemory>>>;
  /** The most connections to the function server. */
  readonly connections: number;
  /** Processor time per decision, in µs, by part. */
  readonly cpuMicrosPerDecision: Readonly<Partial<Record<SampledPart, number>>>;
}

/**
 * What the samples come to.
 *
 * @param course - throughput and memory are those of its loaded stretch, restarts and checkpoints those of the watched
 *   one
 */
export function figuresOf(
  samples: readonly Sample[],
  { loaded, watched, cold }: Pick<Course, "loaded" | "watched" | "cold">,
): StretchFigures {
  const within = ({ fromMs, untilMs }: Stretch) => samples.filter(({ atMs }) => atMs >= fromMs && atMs <= untilMs);
  const load = within(loaded);
  const rates = ratesOf(load, WINDOW_MS);
  const steady = ratesOf(load, STEADY_WINDOW_MS);
  return {
    decidedPerSecond: {
      min: Math.round(Math.min(...rates)),
      median: Math.round(quantile(rates, 0.5) ?? 0),
      max: Math.round(Math.max(...rates)),
    },
    slowestShare: steady.length === 0 ? 1 : Math.min(...steady) / Math.max(1e-9, ...steady),
    // While a job is still being deployed, each attempt at a checkpoint counts as failed: there is no task yet to make
    // it.
    ...counted(within(watched), cold, cold ? loaded.fromMs : watched.fromMs),
    memory: memoryOf(load),
    connections: Math.max(0, ...load.map(({ connections = 0 }) => connections)),
    cpuMicrosPerDecision: cpuOf(load),
  };
}

/** Decisions per second in each window that the samples fill, including windows without any. */
export function ratesOf(samples: readonly Sample[], windowMs: number): number[] {
  const known = samples.filter(
    (sample): sample is Sample & { readonly decided: number } => sample.decided !== undefined,
  );
  const first = known[0];
  const last = known.at(-1);
  if (first === undefined || last === undefined) return [];
  const at = (ms: number): number => {
    const after = known.findIndex(({ atMs }) => atMs >= ms);
    const [a, b] = [known[Math.max(0, after - 1)]!, known[after === -1 ? known.length - 1 : after]!];
    return b.atMs === a.atMs ? b.decided : a.decided + ((b.decided - a.decided) * (ms - a.atMs)) / (b.atMs - a.atMs);
  };
  const windows = Math.floor((last.atMs - first.atMs) / windowMs);
  return Array.from(
    { length: windows },
    (_, n) => ((at(first.atMs + (n + 1) * windowMs) - at(first.atMs + n * windowMs)) / windowMs) * 1000,
  );
}

/** Counters that start afresh with a new JobManager, whose appearance is itself a restart. */
function counted(
  samples: readonly Sample[],
  cold: boolean,
  checkpointsFromMs: number,
): Pick<StretchFigures, "jobRestarts" | "checkpoints"> {
  let jobRestarts = 0;
  let completed = 0;
  let failed = 0;
  const durations: number[] = [];
  // A JobManager that starts cold begins at zero.
  let restartsBefore = cold ? 0 : undefined;
  let before: Sample["checkpoints"];
  for (const { atMs, restarts, checkpoints } of samples) {
    if (restarts !== undefined) {
      if (restartsBefore !== undefined)
        jobRestarts += restarts >= restartsBefore ? restarts - restartsBefore : restarts + 1;
      restartsBefore = restarts;
    }
    if (checkpoints === undefined || atMs < checkpointsFromMs) continue;
    if (before !== undefined) {
      const anew = checkpoints.completed < before.completed;
      const more = checkpoints.completed - (anew ? 0 : before.completed);
      completed += more;
      failed += checkpoints.failed - (anew ? 0 : before.failed);
      if (more > 0 && checkpoints.lastMs !== undefined) durations.push(checkpoints.lastMs);
    }
    before = checkpoints;
  }
  return {
    jobRestarts,
    checkpoints: {
      completed,
      failed,
      failedShare: failed / Math.max(1, completed + failed),
      p50Ms: quantile(durations, 0.5) ?? 0,
      p99Ms: quantile(durations, 0.99) ?? 0,
      lastBytes: before?.lastBytes ?? 0,
    },
  };
}

function memoryOf(samples: readonly Sample[]): StretchFigures["memory"] {
  const third = (n: number): readonly Sample[] =>
    samples.slice(Math.floor((samples.length * n) / 3), Math.floor((samples.length * (n + 1)) / 3));
  const of = (figure: (sample: Sample) => number | undefined): PartMemory | undefined => {
    const [first, second, last] = [third(0), third(1), third(2)].map((part) =>
      part.flatMap((sample) => figure(sample) ?? []),
    ) as [number[], number[], number[]];
    if (second.length === 0 || last.length === 0) return undefined;
    const spread = (values: readonly number[]) => ({
      mean: Math.round(values.reduce((sum, value) => sum + value, 0) / values.length),
      max: Math.max(...values),
    });
    return {
      second: spread(second),
      last: spread(last),
      earlierMax: Math.max(...first, ...second),
      ratio: spread(last).mean / spread(second).mean,
    };
  };
  const named = [
    ...SAMPLED_PARTS.map((part) => [part, of(({ memoryBytes }) => memoryBytes[part])] as const),
    ["taskmanagerHeap", of(({ heapBytes }) => heapBytes)] as const,
  ];
  return Object.fromEntries(named.filter(([, memory]) => memory !== undefined));
}

function cpuOf(samples: readonly Sample[]): StretchFigures["cpuMicrosPerDecision"] {
  const first = samples[0];
  const last = samples.at(-1);
  const decided = (last?.decided ?? 0) - (first?.decided ?? 0);
  if (first === undefined || last === undefined || decided <= 0) return {};
  return Object.fromEntries(
    SAMPLED_PARTS.flatMap((part) => {
      const [a, b] = [first.cpuSeconds[part], last.cpuSeconds[part]];
      return a === undefined || b === undefined || b < a ? [] : [[part, Math.round(((b - a) / decided) * 1e6)]];
    }),
  );
}

/** What happened when. */
export interface Course {
  /** While transactions were offered, or most of a backlog was still there. */
  readonly loaded: Stretch;
  /** From its beginning until it was calm again. */
  readonly watched: Stretch;
  /** Whether Java was started at its beginning. */
  readonly cold: boolean;
  readonly drainedMs: number | undefined;
  readonly calmMs: number | undefined;
}

/** Compares the figures of an overload with the bounds. */
export function limitsOf(
  samples: readonly Sample[],
  figures: StretchFigures,
  { loaded, cold, drainedMs, calmMs }: Course,
): Limit[] {
  const { jobRestarts, checkpoints, memory } = figures;
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  const steadyFrom = loaded.fromMs + (cold ? COLD_MS : 0);
  const rates = ratesOf(
    samples.filter(({ atMs }) => atMs >= steadyFrom && atMs <= loaded.untilMs),
    STEADY_WINDOW_MS,
  );
  const slowest = rates.length < 2 ? undefined : Math.min(...rates) / Math.max(1e-9, ...rates);
  // Memory that a process had, gave back while it had less to do, and takes again is not growth.
  const grown = Object.entries(memory).filter(
    ([part, { second, last, earlierMax }]) =>
      part !== "taskmanagerHeap" &&
      last.mean > Math.max(second.mean * LIMITS.memoryGrowth, second.mean + LIMITS.memorySlackBytes, earlierMax),
  );
  const long = loaded.untilMs - loaded.fromMs >= MEMORY_STRETCH_MS;
  return [
    {
      name: "restarts",
      what: `${jobRestarts} restarts of the job; at most ${LIMITS.restarts}`,
      held: jobRestarts <= LIMITS.restarts,
    },
    {
      name: "checkpoints-failed",
      what: `${checkpoints.failed} of ${checkpoints.completed + checkpoints.failed} checkpoints failed (${percent(checkpoints.failedShare)}); at most ${percent(LIMITS.checkpointsFailed)}, and some completed`,
      held: checkpoints.completed > 0 && checkpoints.failedShare <= LIMITS.checkpointsFailed,
    },
    ...(long
      ? [
          {
            name: "memory" as const,
            what:
              grown.length === 0
                ? `no part's mean memory was more than ${percent(LIMITS.memoryGrowth - 1)} greater in the last third than in the second, and greater than ever before`
                : grown
                    .map(
                      ([part, { ratio }]) => `${part} grew by ${percent(ratio - 1)} from the second third to the last`,
                    )
                    .join(", "),
            held: grown.length === 0,
          },
        ]
      : []),
    ...(slowest === undefined
      ? []
      : [
          {
            name: "throughput" as const,
            what: `the slowest 30 s decided ${percent(slowest)} of what the fastest did; at least ${percent(LIMITS.throughput)}`,
            held: slowest >= LIMITS.throughput,
          },
        ]),
    {
      name: "drained",
      what:
        drainedMs === undefined
          ? "the backlog was not gone in time"
          : calmMs === undefined
            ? `drained ${(drainedMs / 1000).toFixed(0)} s after the load, and not calm then`
            : `drained ${(drainedMs / 1000).toFixed(0)} s after the load, calm ${(calmMs / 1000).toFixed(0)} s after it`,
      held: drainedMs !== undefined && calmMs !== undefined,
    },
  ];
}
