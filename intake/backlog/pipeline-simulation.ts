import { BacklogEstimator } from "./backlog-estimator.js";
import { BacklogGate } from "./backlog-gate.js";

const STEP_MS = 100;
const SAMPLE_MS = 1_000;

/** A pipeline that works off a queue, and with each checkpoint commits how far it has come. */
export interface SimulatedPipeline {
  readonly seconds: number;
  /** Records per second that come, and that it can handle, at a time in seconds. */
  readonly arriving: (atSeconds: number, open: boolean) => number;
  readonly capacity: (atSeconds: number) => number;
  readonly checkpointMs: number;
  /** From a checkpoint's barrier to its commit. */
  readonly checkpointTakesMs: number;
  readonly maxSeconds: number;
  readonly evidenceMs?: number;
  /** Offsets before the first record. */
  readonly firstOffset?: number;
}

/** What one sample saw. */
export interface SimulatedSample {
  readonly atSeconds: number;
  readonly open: boolean;
  /** The estimator's answer. */
  readonly estimate: number;
  /** How long what came at this moment waited for its commit, in seconds; undefined: longer than the simulation. */
  readonly waited: number | undefined;
}

/** Runs the pipeline by its own clock. For specs. */
export function simulate(pipeline: SimulatedPipeline): SimulatedSample[] {
  const { maxSeconds, evidenceMs = Math.min(10_000, maxSeconds * 500), firstOffset = 0 } = pipeline;
  const estimator = new BacklogEstimator(evidenceMs);
  const gate = new BacklogGate(maxSeconds);
  let [arrived, worked, committed] = [0, 0, 0];
  const pending: { readonly atMs: number; readonly upTo: number }[] = [];
  const commits: { readonly atMs: number; readonly upTo: number }[] = [];
  const samples: {
    readonly atMs: number;
    readonly open: boolean;
    readonly estimate: number;
    readonly arrived: number;
  }[] = [];
  for (let atMs = 0; atMs <= pipeline.seconds * 1000; atMs += STEP_MS) {
    while (pending[0] !== undefined && pending[0].atMs <= atMs) {
      committed = pending.shift()!.upTo;
      commits.push({ atMs, upTo: committed });
    }
    if (atMs % SAMPLE_MS === 0) {
      estimator.observe({
        atMs,
        committed: firstOffset + Math.floor(committed),
        end: firstOffset + Math.floor(arrived),
      });
      gate.update(estimator.seconds);
      samples.push({ atMs, open: gate.overload === undefined, estimate: estimator.seconds!, arrived });
    }
    // A checkpoint that takes longer than the interval makes the next one late.
    if (atMs % pipeline.checkpointMs === 0 && pending.length === 0)
      pending.push({ atMs: atMs + pipeline.checkpointTakesMs, upTo: worked });
    arrived += (pipeline.arriving(atMs / 1000, gate.overload === undefined) * STEP_MS) / 1000;
    worked = Math.min(arrived, worked + (pipeline.capacity(atMs / 1000) * STEP_MS) / 1000);
  }
  let commit = 0;
  return samples.map(({ atMs, open, estimate, arrived: upTo }) => {
    while (commit < commits.length && (commits[commit]!.upTo < upTo || commits[commit]!.atMs < atMs)) commit++;
    const committedAtMs = commits[commit]?.atMs;
    return {
      atSeconds: atMs / 1000,
      open,
      estimate,
      waited: committedAtMs === undefined ? undefined : (committedAtMs - atMs) / 1000,
    };
  });
}
