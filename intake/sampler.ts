/** What was known so long ago no longer counts. */
const STALE_MS = 15_000;

export interface SamplerOptions<Sample> {
  readonly everyMs: number;
  /** Undefined, or a rejection: there is no answer, and what was known is kept for a while. */
  readonly take: () => Promise<Sample | undefined>;
  /** After each attempt, with what is known then. */
  readonly onAttempt?: (known: Sample | undefined) => void;
  /** In ms; never goes back. */
  readonly nowMs?: () => number;
}

/** Asks the broker again and again, one question at a time, and knows the newest answer for as long as it counts. */
export class Sampler<Sample> {
  readonly #options: SamplerOptions<Sample>;
  readonly #nowMs: () => number;
  #timer: NodeJS.Timeout | undefined;
  #asking = false;
  #newest: { readonly sample: Sample; readonly atMs: number } | undefined;

  constructor(options: SamplerOptions<Sample>) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /** Undefined when nothing is known now. */
  get known(): Sample | undefined {
    return this.#newest !== undefined && this.#nowMs() - this.#newest.atMs <= STALE_MS
      ? this.#newest.sample
      : undefined;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.sample(), this.#options.everyMs).unref();
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
      const sample = await this.#options.take();
      if (sample !== undefined) this.#newest = { sample, atMs: this.#nowMs() };
    } catch {
      // As without an answer.
    } finally {
      this.#asking = false;
      this.#options.onAttempt?.(this.known);
    }
  }
}
