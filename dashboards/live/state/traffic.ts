import { quantileOfSorted } from "../../../contract/quantile.js";
import type { ExactlyOnceCounts, OutcomeName, PipelineState, Pulse, Quantiles } from "../wire.js";

/** Latencies of one second that quantiles are taken over, at most. */
const SAMPLES = 4_000;

/** Collects what happens within a second, and keeps the figures of the last ones. */
export class Traffic {
  readonly #kept: number;
  readonly #pulses: Pulse[] = [];
  #in = 0;
  #alerts = 0;
  #outcomes: Record<OutcomeName, number> = noOutcomes();
  #visible: number[] = [];
  #committed: number[] = [];

  /** @param kept - how many seconds */
  constructor(kept: number) {
    this.#kept = kept;
  }

  onSent(): void {
    this.#in++;
  }

  onVisible(latencyMs: number): void {
    if (this.#visible.length < SAMPLES) this.#visible.push(latencyMs);
  }

  /** @param latencyMs - `undefined` when nobody knows when its transaction came */
  onDecided(outcome: OutcomeName, latencyMs: number | undefined): void {
    this.#outcomes[outcome]++;
    if (latencyMs !== undefined && this.#committed.length < SAMPLES) this.#committed.push(latencyMs);
  }

  onAlert(): void {
    this.#alerts++;
  }

  /** Ends a second. */
  close(nowMs: number, counts: ExactlyOnceCounts, pipeline: PipelineState): Pulse {
    const { APPROVE: approve, REVIEW: review, DECLINE: decline, ERROR: error } = this.#outcomes;
    const pulse: Pulse = {
      t: nowMs,
      in: this.#in,
      out: approve + review + decline + error,
      alerts: this.#alerts,
      approve,
      review,
      decline,
      error,
      visible: quantiles(this.#visible),
      committed: quantiles(this.#committed),
      counts,
      pipeline,
    };
    this.#in = 0;
    this.#alerts = 0;
    this.#outcomes = noOutcomes();
    this.#visible = [];
    this.#committed = [];
    this.#pulses.push(pulse);
    if (this.#pulses.length > this.#kept) this.#pulses.shift();
    return pulse;
  }

  /** Oldest first. */
  get pulses(): readonly Pulse[] {
    return this.#pulses;
  }
}

const noOutcomes = (): Record<OutcomeName, number> => ({ APPROVE: 0, REVIEW: 0, DECLINE: 0, ERROR: 0 });

/** In whole ms. */
function quantiles(values: readonly number[]): Quantiles | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number => Math.round(quantileOfSorted(sorted, share)!);
  return { p50: at(0.5), p99: at(0.99) };
}
