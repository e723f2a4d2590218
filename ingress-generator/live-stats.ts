import { Decision } from "../protos/gen/fraud/v1/decision.js";
import { Alert, Alert_Kind } from "../protos/gen/fraud/v1/evidence.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import { Latencies } from "./latencies.js";

/** An alert as the terminal shows it. */
export interface ShownAlert {
  readonly kind: Alert_Kind;
  readonly accountId: string;
  readonly episode: bigint;
  readonly suspiciousCount: number;
  readonly score: number;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly place: string;
  readonly reasons: readonly string[];
}

/** The figures of this moment. Latencies are in ms, from a transaction's scheduled time to its committed decision. */
export interface Snapshot {
  readonly sent: number;
  readonly decided: number;
  readonly waiting: number;
  /** Episodes opened and escalated; nobody is called because one was closed. */
  readonly alerts: number;
  readonly sentPerSecond: number;
  readonly decidedPerSecond: number;
  /** Over the newest decisions only. */
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly lastAlerts: readonly ShownAlert[];
}

const RATE_WINDOW_MS = 5_000;
const SHOWN_ALERTS = 8;
/** Latencies that the view's quantiles are taken over: some seconds' worth. */
const RECENT = 2_000;

/**
 * Follows one run as a `read_committed` reader sees it. For people to look at, and for latencies: whether the run
 * is right is judged afterwards, from the topics themselves.
 */
export class LiveStats {
  /** Scheduled wall-clock times (ms) of transactions without a decision, by id. */
  readonly #waiting = new Map<string, number>();
  readonly #latencies: Latencies;
  readonly #recent = new Latencies(RECENT);
  readonly #sent = new RateMeter();
  readonly #decided = new RateMeter();
  readonly #lastAlerts: ShownAlert[] = [];
  readonly #runPrefix: string;
  #alerts = 0;
  #lastDecisionAt = 0;

  /**
   * @param runId - only this run's accounts are followed
   * @param keptLatencies - how many of the newest latencies {@link quantiles} is taken over
   */
  constructor(runId: string, keptLatencies: number) {
    this.#runPrefix = `${runId}-`;
    this.#latencies = new Latencies(keptLatencies);
  }

  onSent(transactionId: string, scheduledAtMs: number, nowMs: number): void {
    this.#waiting.set(transactionId, scheduledAtMs);
    this.#sent.add(nowMs);
  }

  /** Takes in the value of a record of `decisions`. */
  onDecision(value: Uint8Array, nowMs: number): void {
    const transactionId = Decision.decode(Any.decode(value).value).evidence?.transaction?.transactionId;
    if (transactionId === undefined) return;
    const scheduledAtMs = this.#waiting.get(transactionId);
    if (scheduledAtMs === undefined) return;
    this.#waiting.delete(transactionId);
    this.#latencies.add(nowMs - scheduledAtMs);
    this.#recent.add(nowMs - scheduledAtMs);
    this.#decided.add(nowMs);
    this.#lastDecisionAt = nowMs;
  }

  /** Takes in the value of a record of `alerts`. */
  onAlert(value: Uint8Array): void {
    const alert = Alert.decode(Any.decode(value).value);
    if (!alert.accountId.startsWith(this.#runPrefix)) return;
    if (alert.kind === Alert_Kind.CLOSED) return;
    this.#alerts++;
    this.#lastAlerts.unshift(shownAlert(alert));
    this.#lastAlerts.length = Math.min(this.#lastAlerts.length, SHOWN_ALERTS);
  }

  /** Transactions sent that have no committed decision yet. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** When the newest decision came, in ms since 1970; 0 before the first. */
  get lastDecisionAtMs(): number {
    return this.#lastDecisionAt;
  }

  /** Quantiles (0 to 1) of the run's latencies, in ms; 0 each before the first decision. */
  quantiles(...ranks: number[]): number[] {
    return this.#latencies.quantiles(...ranks).map((ms) => Math.round(ms ?? 0));
  }

  snapshot(nowMs: number): Snapshot {
    const [p50Ms, p99Ms] = this.#recent.quantiles(0.5, 0.99);
    return {
      sent: this.#sent.total,
      decided: this.#decided.total,
      waiting: this.#waiting.size,
      alerts: this.#alerts,
      sentPerSecond: this.#sent.perSecond(nowMs),
      decidedPerSecond: this.#decided.perSecond(nowMs),
      p50Ms,
      p99Ms,
      lastAlerts: this.#lastAlerts,
    };
  }
}

/** What is shown of an alert. */
export const shownAlert = (alert: Alert): ShownAlert => ({
  kind: alert.kind,
  accountId: alert.accountId,
  episode: alert.episode,
  suspiciousCount: alert.suspiciousCount,
  score: alert.score,
  amountMinor: alert.transaction?.amountMinor ?? 0n,
  currency: alert.transaction?.currency ?? "",
  place: alert.transaction?.location?.name ?? "online",
  reasons: alert.reasons.map(({ code }) => code),
});

/** Counts events, and how many there were each second of late. */
export class RateMeter {
  total = 0;
  /** Events by second of wall-clock time, the last few seconds only. */
  readonly #seconds = new Map<number, number>();

  add(nowMs: number): void {
    this.total++;
    const second = Math.floor(nowMs / 1000);
    this.#seconds.set(second, (this.#seconds.get(second) ?? 0) + 1);
  }

  /** Over the last whole seconds, without the running one. */
  perSecond(nowMs: number): number {
    const running = Math.floor(nowMs / 1000);
    const seconds = RATE_WINDOW_MS / 1000;
    let sum = 0;
    for (const [second, count] of this.#seconds) {
      if (second < running - seconds) this.#seconds.delete(second);
      else if (second < running) sum += count;
    }
    return sum / seconds;
  }
}
