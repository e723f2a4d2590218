/** How far a group had come at one moment, all partitions together. */
export interface BacklogSample {
  /** In ms, by a clock that never goes back. */
  readonly atMs: number;
  /** The sum of the offsets from which the group goes on. */
  readonly committed: number;
  /** The same, plus all that waits. */
  readonly end: number;
}

/** How much of the latest time in which the group was at work counts for its rate. */
const RATE_MS = 30_000;
/** More samples than this are thinned out: a wait of hours need not be dated to the second. */
const MAX_SAMPLES = 1_000;

/**
 * Estimates how long something that is written to a topic now would wait until its group has committed it, from samples
 * of both, as if the partitions were one queue: all that waits, divided by the rate at which the group has advanced
 * lately.
 *
 * A group that has little to do advances only as fast as records come, and by that rate a burst would seem to last
 * forever. So the rate is taken over the time since the oldest record came: something has waited all that time, so the
 * group was doing what it could. Where that time is too short for a rate, since a group commits in steps, the age of
 * the oldest record is used instead; where there is a rate and the group stands still, at least the time since it
 * stopped. The age is not used then: while a backlog is being worked off it stays long until the end, and waiting for
 * it to fall would let the group run dry.
 */
export class BacklogEstimator {
  readonly #evidenceMs: number;
  /** From the first one that saw the oldest waiting record; only the newest when none waits. */
  #samples: BacklogSample[] = [];

  /**
   * @param evidenceMs - a rate over less time than this is not trusted: it should cover several of the group's commits
   */
  constructor(evidenceMs: number) {
    this.#evidenceMs = evidenceMs;
  }

  observe(sample: BacklogSample): void {
    const newest = this.#samples.at(-1);
    // The topic or the group was made anew: nothing from before applies to it. The end may come nearer, as some of what
    // waits is refused.
    if (newest !== undefined && sample.committed < newest.committed) this.#samples = [];
    this.#samples.push(sample);
    const oldest = this.#samples.findIndex(({ end }) => end > sample.committed);
    this.#samples.splice(0, oldest === -1 ? this.#samples.length - 1 : oldest);
    if (this.#samples.length > MAX_SAMPLES)
      this.#samples = this.#samples.filter((_, n) => n % 2 === 0 || n > MAX_SAMPLES / 2);
  }

  /** In seconds; undefined before the first sample. */
  get seconds(): number | undefined {
    const [oldest] = this.#samples;
    const newest = this.#samples.at(-1);
    if (oldest === undefined || newest === undefined) return undefined;
    const waiting = newest.end - newest.committed;
    if (waiting <= 0) return 0;
    const commits = this.#samples.filter(({ committed }, n) => n > 0 && committed > this.#samples[n - 1]!.committed);
    const last = commits.at(-1);
    // From commit to commit: between two of them nothing seems to happen.
    const first = last && commits.find(({ atMs }) => atMs >= last.atMs - RATE_MS);
    if (last === undefined || first === undefined || last.atMs - first.atMs < this.#evidenceMs)
      return (newest.atMs - oldest.atMs) / 1000;
    const perMs = (last.committed - first.committed) / (last.atMs - first.atMs);
    return Math.max(waiting / perMs, newest.atMs - last.atMs) / 1000;
  }
}
