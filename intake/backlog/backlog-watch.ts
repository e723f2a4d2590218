import type { LagWatch } from "../../kafka/group-lag.js";
import { BacklogEstimator } from "./backlog-estimator.js";
import { BacklogGate, type Overload } from "./backlog-gate.js";

const SAMPLE_MS = 1_000;
/** The time of several checkpoints, at one a second. */
const EVIDENCE_MS = 10_000;
/** What was known so long ago no longer counts. */
const STALE_MS = 15_000;

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

/** Knows the pipeline's backlog: asks the broker once a second, one question at a time. */
export class BacklogWatch {
  readonly #options: BacklogWatchOptions;
  readonly #nowMs: () => number;
  readonly #estimator: BacklogEstimator;
  readonly #gate: BacklogGate;
  #timer: NodeJS.Timeout | undefined;
  #asking = false;
  #sampledAtMs = -Infinity;

  constructor(options: BacklogWatchOptions) {
    const { maxSeconds, nowMs = () => performance.now() } = options;
    this.#options = options;
    this.#nowMs = nowMs;
    this.#estimator = new BacklogEstimator(
      maxSeconds === 0 ? EVIDENCE_MS : Math.min(EVIDENCE_MS, (maxSeconds * 1000) / 2),
    );
    this.#gate = new BacklogGate(maxSeconds);
  }

  /**
   * How long something that comes now would wait until the group has committed it, in seconds; undefined when that
   * is not known.
   */
  get seconds(): number | undefined {
    return this.#nowMs() - this.#sampledAtMs > STALE_MS ? undefined : this.#estimator.seconds;
  }

  /** Why nothing more should be sent to the group; undefined when it may. */
  get overload(): Overload | undefined {
    return this.#gate.overload;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.sample(), SAMPLE_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Takes a sample, unless one is being taken. Never rejects. */
  async sample(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      const partitions = await this.#options.lag.now();
      // Without an answer, what was known is kept for a while.
      if (partitions.length > 0) {
        const committed = Number(
          partitions.reduce((sum, { group, from }) => (group === this.#options.group ? sum + from : sum), 0n),
        );
        const end = committed + Number(partitions.reduce((sum, { offsets }) => sum + offsets, 0n));
        this.#sampledAtMs = this.#nowMs();
        this.#estimator.observe({ atMs: this.#sampledAtMs, committed, end });
      }
    } finally {
      this.#asking = false;
      this.#gate.update(this.seconds);
    }
  }
}
