import { skimIdentity } from "../../dashboards/live/skim.js";
import { Latencies } from "../../ingress-generator/latencies.js";
import type { Load } from "./load.js";
import { numberOf } from "./transactions.js";

/** The most decisions whose latencies are kept. */
const KEPT = 1_000_000;
const FIRST_CAPACITY = 1 << 20;

/**
 * Counts committed decisions on a load's transactions, each once, and how long they took from when their transactions
 * were due.
 */
export class Meter {
  #seen = new Uint8Array(FIRST_CAPACITY);
  #latencies = new Latencies(KEPT);
  #decided = 0;
  #duplicates = 0;
  #newest = -1;

  /** @param load - `undefined` until it has begun */
  onDecision(value: Buffer, arrivedAtMs: number, load: Pick<Load, "dueAtMs"> | undefined): void {
    const n = numberOf(skimIdentity(value).transactionId);
    if (n === undefined || load === undefined) return;
    if (n >= this.#seen.length) {
      const larger = new Uint8Array(Math.max(n + 1, this.#seen.length * 2));
      larger.set(this.#seen);
      this.#seen = larger;
    }
    if (this.#seen[n] === 1) return void this.#duplicates++;
    this.#seen[n] = 1;
    this.#decided++;
    if (n > this.#newest) this.#newest = n;
    this.#latencies.add(arrivedAtMs - load.dueAtMs(n));
  }

  /** Transactions with a committed decision. */
  get decided(): number {
    return this.#decided;
  }

  /** Decisions on a transaction that had one. */
  get duplicates(): number {
    return this.#duplicates;
  }

  /** The highest number of a transaction with a committed decision; -1: there is none. */
  get newest(): number {
    return this.#newest;
  }

  /** Latencies from now on, and none of before. */
  begin(): void {
    this.#latencies = new Latencies(KEPT);
  }

  /** Of the latencies since {@link begin}, in ms. */
  committedMs(): { readonly p50: number; readonly p99: number } {
    const [p50, p99] = this.#latencies.quantiles(0.5, 0.99);
    return { p50: Math.round(p50 ?? 0), p99: Math.round(p99 ?? 0) };
  }
}
