import type { LagWatch } from "../../kafka/group-lag.js";
import { Sampler } from "../sampler.js";
import { BacklogEstimator } from "./backlog-estimator.js";
import { BacklogGate, type Overload } from "./backlog-gate.js";

const SAMPLE_MS = 1_000;
/** The time of many checkpoints. */
const EVIDENCE_MS = 10_000;

export interface BacklogWatchOptions {
  /** Samples of the group that is waited for and what it reads, and of the groups in front of it. */
  readonly lag: Pick<LagWatch, "now">;
  /** The group that is waited for. */
  readonly group: string;
  /** The bound beyond which {@link BacklogWatch.overload} says so; 0: never. */
  readonly maxSeconds: number;
  /** In ms; never goes back. */
  readonly nowMs?: () => number;
}

/** Knows the pipeline's backlog: asks the broker once a second. */
export class BacklogWatch {
  readonly #gate: BacklogGate;
  readonly #sampler: Sampler<BacklogEstimator>;

  constructor({ lag, group, maxSeconds, nowMs = () => performance.now() }: BacklogWatchOptions) {
    const estimator = new BacklogEstimator(
      maxSeconds === 0 ? EVIDENCE_MS : Math.min(EVIDENCE_MS, (maxSeconds * 1000) / 2),
    );
    this.#gate = new BacklogGate(maxSeconds);
    this.#sampler = new Sampler({
      everyMs: SAMPLE_MS,
      take: async () => {
        const partitions = await lag.now();
        if (partitions.length === 0) return undefined;
        const committed = Number(partitions.reduce((sum, one) => (one.group === group ? sum + one.from : sum), 0n));
        const end = committed + Number(partitions.reduce((sum, { offsets }) => sum + offsets, 0n));
        estimator.observe({ atMs: nowMs(), committed, end });
        return estimator;
      },
      onAttempt: (known) => this.#gate.update(known?.seconds),
      nowMs,
    });
  }

  /**
   * How long something that comes now would wait until the group has committed it, in seconds; undefined when that
   * is not known.
   */
  get seconds(): number | undefined {
    return this.#sampler.known?.seconds;
  }

  /** Why nothing more should be sent to the group; undefined when it may. */
  get overload(): Overload | undefined {
    return this.#gate.overload;
  }

  start(): void {
    this.#sampler.start();
  }

  stop(): void {
    this.#sampler.stop();
  }

  /** As {@link Sampler.sample}. */
  async sample(): Promise<void> {
    await this.#sampler.sample();
  }
}
