import type { RawRecord } from "../contract/raw-record.js";
import { transactionKey } from "../contract/transaction-key.js";
import { keepNewest } from "../process/keep-newest.js";
import { Decision, Outcome } from "../protos/gen/fraud/v1/decision.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import { Waiters } from "./waiters.js";

/** A decision as a reader of the topic sees it. */
export interface KnownDecision {
  readonly decision: Decision;
  /** False: provisional. A failure can still take it back, and the next one may differ. */
  readonly committed: boolean;
}

/** A record of the topic `decisions`. */
export type DecisionRecord = Pick<RawRecord, "partition" | "offset" | "value">;

interface Entry {
  readonly identity: string;
  readonly accountId: string;
  /** The transaction's number among the account's. */
  readonly seq: bigint;
  /** The account has forgotten its transactions up to this number: one of them that comes again is decided again. */
  readonly forgottenSeq: bigint;
  readonly offset: bigint;
  readonly value: Buffer;
  readonly outcome: Outcome;
  committed: boolean;
  /** An earlier decision on it, which holds should this one be aborted. */
  earlier?: Entry | undefined;
}

/** What a client waits for. */
export interface WaitFor {
  /** True: a committed decision; false: the first one, provisional or not. */
  readonly committed: boolean;
  readonly timeoutMs: number;
  /** The transaction was sent just now: a decision that the account has forgotten is not the one to return. */
  readonly sentNow?: boolean;
  /** Aborted when the client no longer waits. */
  readonly gone?: AbortSignal;
}

/**
 * The newest decisions by account and transaction id, from two readers of the topic: one that sees records as soon as
 * they are written, and one that sees them once they are committed. What the second one skips was aborted, and is
 * forgotten. A transaction that comes again after its account has forgotten it has several decisions; the last one
 * holds.
 */
export class DecisionIndex {
  readonly #limit: number;
  readonly #onDecided: (identity: string, outcome: Outcome) => void;
  /** In the order in which they came, so that the oldest is the first. */
  readonly #entries = new Map<string, Entry>();
  /** For each partition: decisions that are written and not yet known to be committed, by rising offset. */
  readonly #provisional = new Map<number, Entry[]>();
  /** For each partition: the next offset that the reader of committed records will see. */
  readonly #settled = new Map<number, bigint>();
  /** By account: what it has forgotten; the account heard of last comes last. */
  readonly #forgotten = new Map<string, bigint>();
  readonly #waiters = new Waiters<KnownDecision>();

  /**
   * @param limit - how many decisions to keep
   * @param onDecided - told of each committed decision, with its {@link transactionKey}
   */
  constructor(limit: number, onDecided: (identity: string, outcome: Outcome) => void = () => undefined) {
    this.#limit = limit;
    this.#onDecided = onDecided;
  }

  /** How many decisions it holds. */
  get size(): number {
    return this.#entries.size;
  }

  /** Takes a record that may still be aborted; in offset order within a partition. */
  onWritten({ partition, offset, value }: DecisionRecord): void {
    // The other reader was faster.
    if (offset < (this.#settled.get(partition) ?? 0n)) return;
    const entry = entryOf(offset, value, false);
    if (entry === undefined) return;
    const known = this.#entries.get(entry.identity);
    if (known?.committed === true && entry.seq <= known.seq) return;
    let provisional = this.#provisional.get(partition);
    if (provisional === undefined) this.#provisional.set(partition, (provisional = []));
    provisional.push(entry);
    this.#keep(entry);
  }

  /** Takes a committed record; in offset order within a partition. */
  onCommitted({ partition, offset, value }: DecisionRecord): void {
    this.#settled.set(partition, offset + 1n);
    const provisional = this.#provisional.get(partition) ?? [];
    let skipped = 0;
    while (skipped < provisional.length && provisional[skipped]!.offset < offset) skipped++;
    this.#takeBack(provisional.splice(0, skipped));
    if (provisional[0]?.offset === offset) {
      const entry = provisional.shift()!;
      entry.committed = true;
      this.#keep(entry);
      this.#onDecided(entry.identity, entry.outcome);
      return;
    }
    const entry = entryOf(offset, value, true);
    if (entry === undefined) return;
    this.#keep(entry);
    this.#onDecided(entry.identity, entry.outcome);
  }

  /**
   * The reader of committed records begins a partition anew: the topic was made again. What was not committed by then
   * never will be.
   */
  onNewLog(partition: number): void {
    this.#settled.delete(partition);
    this.#takeBack(this.#provisional.get(partition) ?? []);
    this.#provisional.delete(partition);
  }

  /** The decision on a transaction; `undefined` if there is none yet, or it is not among the newest. */
  find(accountId: string, transactionId: string): KnownDecision | undefined {
    const entry = this.#entries.get(transactionKey(accountId, transactionId));
    return entry === undefined ? undefined : known(entry);
  }

  /**
   * Waits for the decision on a transaction.
   *
   * @returns `undefined` when the time is up
   */
  async wait(
    accountId: string,
    transactionId: string,
    { committed, timeoutMs, sentNow = false, gone }: WaitFor,
  ): Promise<KnownDecision | undefined> {
    const identity = transactionKey(accountId, transactionId);
    const found = this.#entries.get(identity);
    if (found !== undefined && (found.committed || !committed) && !(sentNow && this.#isForgotten(found)))
      return known(found);
    return await this.#waiters.wait(identity, timeoutMs, (one) => one.committed || !committed, gone);
  }

  /** Ends all waiting. */
  stop(): void {
    this.#waiters.stop();
  }

  #takeBack(aborted: readonly Entry[]): void {
    for (const { identity, offset } of aborted) {
      const known = this.#entries.get(identity);
      if (known?.committed !== false || known.offset !== offset) continue;
      if (known.earlier === undefined) this.#entries.delete(identity);
      else this.#entries.set(identity, known.earlier);
    }
  }

  #keep(entry: Entry): void {
    const { identity } = entry;
    this.#forget(entry);
    const old = this.#entries.get(identity);
    // A committed one holds until a later one comes; and what is marked as committed keeps its place.
    if (old?.committed === true && old !== entry && entry.seq <= old.seq) return;
    if (entry.committed) entry.earlier = undefined;
    else if (old !== entry) entry.earlier = old?.committed === true ? old : old?.earlier;
    if (old !== entry) {
      this.#entries.delete(identity);
      this.#entries.set(identity, entry);
      keepNewest(this.#entries, this.#limit);
    }
    this.#waiters.tell(identity, () => known(entry));
  }

  #isForgotten({ accountId, seq }: Entry): boolean {
    const forgottenSeq = this.#forgotten.get(accountId) ?? 0n;
    return forgottenSeq > 0n && seq <= forgottenSeq;
  }

  #forget({ accountId, forgottenSeq }: Entry): void {
    const known = this.#forgotten.get(accountId) ?? 0n;
    if (forgottenSeq <= known) return;
    this.#forgotten.delete(accountId);
    this.#forgotten.set(accountId, forgottenSeq);
    keepNewest(this.#forgotten, this.#limit);
  }
}

const known = ({ value, committed }: Entry): KnownDecision => ({ decision: Decision.decode(value), committed });

function entryOf(offset: bigint, record: Buffer | null, committed: boolean): Entry | undefined {
  if (record === null) return undefined;
  const { value } = Any.decode(record);
  const { transaction, account, scoring } = Decision.decode(value).evidence ?? {};
  if (transaction === undefined) return undefined;
  const { accountId, transactionId } = transaction;
  // A copy: `value` may be a slice of everything that was fetched, which it would keep in memory.
  return {
    identity: transactionKey(accountId, transactionId),
    accountId,
    seq: account?.seq ?? 0n,
    forgottenSeq: account?.forgottenSeq ?? 0n,
    offset,
    value: Buffer.from(value),
    outcome: scoring?.outcome ?? Outcome.UNSPECIFIED,
    committed,
  };
}
