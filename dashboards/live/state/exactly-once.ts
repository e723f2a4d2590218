import { transactionKey } from "../../../contract/transaction-key.js";
import { keepNewest } from "../../../process/keep-newest.js";
import type { ExactlyOnceCounts } from "../wire.js";

interface Sent {
  readonly key: string;
  readonly account: string;
  /** When the broker or the HTTP door took it. */
  readonly takenAtMs: number;
  readonly seenAtMs: number;
  visible: boolean;
  /** When a later one of its account was decided before it, which account order forbids. */
  passedAtMs: number | undefined;
}

export interface ExactlyOnceOptions {
  /** How many transactions are remembered by id, decided or not. */
  readonly remembered: number;
  /** How long a transaction that was passed may still turn out to be refused, in ms. */
  readonly graceMs: number;
  /** While the job runs, what is not decided after this long is missing, in ms. */
  readonly overdueMs: number;
}

const DEFAULTS: ExactlyOnceOptions = { remembered: 200_000, graceMs: 5_000, overdueMs: 60_000 };

/**
 * Counts what went in and what came out, live. Only transactions that came after this server's start are counted; a
 * bounded number of them is remembered.
 *
 * A decision is a duplicate when its transaction was decided before, or its account's number was given before; not when
 * it is marked: its account had forgotten the first one. A transaction is missing when a later one of its account was
 * decided (the pipeline keeps an account's order, so its own decision will not come), or when the job has been running
 * for a minute without deciding it.
 */
export class ExactlyOnce {
  readonly #options: ExactlyOnceOptions;
  readonly #waiting = new Map<string, Sent>();
  /** Of each account, in the order in which they were sent. */
  readonly #queues = new Map<string, Sent[]>();
  /** What is not waited for: decided (true), refused, or from before the start. Oldest first. */
  readonly #settled = new Map<string, boolean>();
  /** Decisions whose transactions have not been read yet. */
  readonly #early = new Set<string>();
  /** The highest number of each account, most recently used last. */
  readonly #numbers = new Map<string, bigint>();
  readonly #passed = new Set<Sent>();
  #runningSinceMs: number | undefined;
  #sent = 0;
  #decided = 0;
  #duplicates = 0;
  #rejected = 0;
  #forgotten = 0;

  constructor(options: Partial<ExactlyOnceOptions> = {}) {
    this.#options = { ...DEFAULTS, ...options };
  }

  /**
   * A transaction stands in `transactions.valid`.
   *
   * @param earlier - it did before this server started: it is not counted
   */
  onSent(
    account: string,
    transactionId: string,
    { takenAtMs, nowMs, earlier = false }: { takenAtMs: number; nowMs: number; earlier?: boolean },
  ): void {
    const key = transactionKey(account, transactionId);
    // A repetition; the account counter drops it.
    if (this.#waiting.has(key) || this.#settled.has(key)) return;
    if (earlier) return this.#settle(key, this.#early.delete(key));
    this.#sent++;
    if (this.#early.delete(key)) {
      this.#decided++;
      return this.#settle(key, true);
    }
    const sent: Sent = { key, account, takenAtMs, seenAtMs: nowMs, visible: false, passedAtMs: undefined };
    this.#waiting.set(key, sent);
    const queue = this.#queues.get(account);
    if (queue === undefined) this.#queues.set(account, [sent]);
    else queue.push(sent);
    if (this.#waiting.size > this.#options.remembered) {
      this.#remove(this.#waiting.values().next().value!);
      this.#forgotten++;
    }
  }

  /**
   * A decision is written, and may still be aborted.
   *
   * @returns ms since the transaction was taken; `undefined` but for the first one
   */
  onVisible(account: string, transactionId: string, nowMs: number): number | undefined {
    const sent = this.#waiting.get(transactionKey(account, transactionId));
    if (sent === undefined || sent.visible) return undefined;
    sent.visible = true;
    return Math.max(0, nowMs - sent.takenAtMs);
  }

  /** A decision is committed. @returns ms since the transaction was taken; `undefined` when that is not known */
  onDecided(
    account: string,
    transactionId: string,
    accountSeq: bigint,
    { nowMs, earlier = false, possibleRepeat = false }: { nowMs: number; earlier?: boolean; possibleRepeat?: boolean },
  ): number | undefined {
    const key = transactionKey(account, transactionId);
    const last = this.#numbers.get(account) ?? 0n;
    this.#numbers.delete(account);
    this.#numbers.set(account, accountSeq > last ? accountSeq : last);
    keepNewest(this.#numbers, this.#options.remembered);
    const sent = this.#waiting.get(key);
    const known = this.#settled.get(key);
    if (!earlier && (accountSeq <= last || (!possibleRepeat && (known === true || this.#early.has(key)))))
      this.#duplicates++;
    if (sent === undefined) {
      if (known !== undefined || earlier) this.#settle(key, true);
      else this.#expect(key);
      return undefined;
    }
    for (const earlierOne of this.#queues.get(account) ?? []) {
      if (earlierOne === sent) break;
      if (earlierOne.passedAtMs === undefined) {
        earlierOne.passedAtMs = nowMs;
        this.#passed.add(earlierOne);
      }
    }
    this.#remove(sent);
    this.#decided++;
    this.#settle(key, true);
    return Math.max(0, nowMs - sent.takenAtMs);
  }

  /** The account counter refused a transaction: it has no decision. */
  onRejected(account: string, transactionId: string): void {
    const sent = this.#waiting.get(transactionKey(account, transactionId));
    if (sent === undefined) return;
    this.#remove(sent);
    this.#rejected++;
    this.#settle(sent.key, false);
  }

  /** The job runs, or does not. */
  onJob(running: boolean, nowMs: number): void {
    if (!running) this.#runningSinceMs = undefined;
    else this.#runningSinceMs ??= nowMs;
  }

  counts(nowMs: number): ExactlyOnceCounts {
    return {
      sent: this.#sent,
      decided: this.#decided,
      duplicates: this.#duplicates,
      missing: this.#missing(nowMs),
      waiting: this.#waiting.size,
      rejected: this.#rejected,
      forgotten: this.#forgotten,
    };
  }

  #missing(nowMs: number): number {
    let missing = 0;
    for (const { passedAtMs } of this.#passed) if (nowMs - passedAtMs! > this.#options.graceMs) missing++;
    const since = this.#runningSinceMs;
    if (since === undefined || nowMs - since <= this.#options.overdueMs) return missing;
    // Oldest first: the first one that is not overdue ends the search.
    for (const sent of this.#waiting.values()) {
      if (nowMs - sent.seenAtMs <= this.#options.overdueMs) break;
      if (sent.passedAtMs === undefined) missing++;
    }
    return missing;
  }

  #remove(sent: Sent): void {
    this.#waiting.delete(sent.key);
    this.#passed.delete(sent);
    const queue = this.#queues.get(sent.account);
    if (queue === undefined) return;
    const at = queue.indexOf(sent);
    if (at >= 0) queue.splice(at, 1);
    if (queue.length === 0) this.#queues.delete(sent.account);
  }

  #settle(key: string, decided: boolean): void {
    this.#settled.set(key, decided);
    keepNewest(this.#settled, this.#options.remembered);
  }

  #expect(key: string): void {
    this.#early.add(key);
    if (this.#early.size > this.#options.remembered) this.#early.delete(this.#early.values().next().value!);
  }
}
