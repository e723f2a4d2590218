/** How far a group was at one moment, all partitions together. */
export interface BacklogSample {
  /** By a clock that never goes back, in ms. */
  readonly atMs: number;
  /** The sum of the offsets from which the group goes on. */
  readonly committed: number;
  /** That, and all that waits. */
  readonly end: number;
}

/** From how much of the latest time in which the group was at work its rate is taken. */
const RATE_MS = 30_000;
/** More samples than this are thinned out: what waits for hours needs no dates to the second. */
const MAX_SAMPLES = 1_000;

/**
 * Estimates how long something that is written to a topic now would wait until its group has committed it, from samples
 * of both, as if the partitions were one queue: all that waits, over the rate at which the group advanced lately.
 *
 * A group that has little to do advances only as fast as records come, and by that rate a burst would seem to last for
 * ever. So it is the rate of the time since the oldest record came: something has waited all that time, so the group
 * was doing what it could. Where that is too short for a rate, for a group commits in steps, there is the age of the
 * oldest record instead; where there is a rate, and the group stands still, at least the time since it does. The age is
 * not asked then: in a backlog that is worked off it is long till the end, and whoever waits for it to fall lets the
 * group run dry.
 */
export class BacklogEstimator {
  readonly #evidenceMs: number;
  /** From the first one that saw the oldest record that waits; only the newest when none does. */
  #samples: BacklogSample[] = [];

  /** @param evidenceMs - a rate over less than this is not believed: it should be several of the group's commits */
  constructor(evidenceMs: number) {
    this.#evidenceMs = evidenceMs;
  }

  observe(sample: BacklogSample): void {
    const newest = this.#samples.at(-1);
    // The topic or the group was made anew: nothing of before is true of it. The end may come nearer: of what waits
    // some is refused.
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
