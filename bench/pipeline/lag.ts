/** How many transactions were due and not decided, at some moments. */
export class LagSamples {
  readonly #samples: { readonly atMs: number; readonly lag: number }[] = [];

  add(atMs: number, lag: number): void {
    this.#samples.push({ atMs, lag });
  }

  /** The mean. */
  get mean(): number {
    return meanOf(this.#samples.map(({ lag }) => lag));
  }

  /**
   * How many more there are a second. From the mean of the first third to that of the last: decisions come with their
   * checkpoint, so a single sample says little.
   */
  get growth(): number {
    const third = Math.floor(this.#samples.length / 3);
    if (third === 0) return 0;
    const [first, last] = [this.#samples.slice(0, third), this.#samples.slice(-third)];
    const seconds = (meanOf(last.map(({ atMs }) => atMs)) - meanOf(first.map(({ atMs }) => atMs))) / 1000;
    return (meanOf(last.map(({ lag }) => lag)) - meanOf(first.map(({ lag }) => lag))) / seconds;
  }
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
