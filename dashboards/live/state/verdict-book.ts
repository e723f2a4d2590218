import { transactionKey } from "../../../contract/transaction-key.js";
import { keepNewest } from "../../../process/keep-newest.js";
import type { VerdictEffect, VerdictName, VerdictRow } from "../wire.js";

export interface VerdictBookOptions {
  /** Transactions whose verdicts are known. */
  readonly transactions: number;
  /** Lines of the audit trail. */
  readonly trail: number;
}

const DEFAULTS: VerdictBookOptions = { transactions: 50_000, trail: 5_000 };

/** The verdicts of `labels.valid`, and what the account counter and the merchant model made of them. Bounded. */
export class VerdictBook {
  readonly #options: VerdictBookOptions;
  /** Of each transaction, by rising revision; the one with the newest verdict is the last. */
  readonly #byTransaction = new Map<string, VerdictRow[]>();
  readonly #byLabel = new Map<string, VerdictRow>();
  /** What analysts said, oldest first. */
  readonly #trail: VerdictRow[] = [];
  /** Revisions that were given out and have not come back yet. */
  readonly #reserved = new Map<string, number>();
  /** Of verdicts that have not been read yet: topics are read side by side. */
  readonly #effects = new Map<string, { account?: VerdictEffect; merchant?: VerdictEffect; revision: number }>();
  #fed = 0;

  constructor(options: Partial<VerdictBookOptions> = {}) {
    this.#options = { ...DEFAULTS, ...options };
  }

  /** Transactions whose verdicts it knows. */
  get size(): number {
    return this.#byTransaction.size;
  }

  /** Verdicts that came without an analyst. */
  get fed(): number {
    return this.#fed;
  }

  /** @returns false when it is known already */
  add(row: VerdictRow): boolean {
    const key = transactionKey(row.account, row.transactionId);
    const rows = this.#byTransaction.get(key) ?? [];
    if (rows.some(({ kafka }) => kafka.partition === row.kafka.partition && kafka.offset === row.kafka.offset))
      return false;
    const effects = this.#effects.get(row.labelId);
    this.#effects.delete(row.labelId);
    row.revision ||= effects?.revision ?? 0;
    rows.push(row);
    rows.sort((a, b) => a.revision - b.revision);
    this.#byTransaction.delete(key);
    this.#byTransaction.set(key, rows);
    this.#byLabel.set(row.labelId, row);
    row.accountEffect ??= effects?.account ?? null;
    row.merchantEffect ??= effects?.merchant ?? null;
    if ((this.#reserved.get(key) ?? Infinity) <= row.revision) this.#reserved.delete(key);
    if (row.analyst === "") this.#fed++;
    else {
      this.#trail.push(row);
      if (this.#trail.length > this.#options.trail) this.#trail.shift();
    }
    const gone = keepNewest(this.#byTransaction, this.#options.transactions) ?? [];
    for (const { labelId } of gone) this.#byLabel.delete(labelId);
    return true;
  }

  /**
   * An address has counted a verdict.
   *
   * @param revision - the verdict's, which it may have come without
   * @returns the verdict, if it is known
   */
  onEffect(
    labelId: string,
    address: "account" | "merchant",
    effect: VerdictEffect,
    revision = 0,
  ): VerdictRow | undefined {
    const row = this.#byLabel.get(labelId);
    if (row === undefined) {
      this.#effects.set(labelId, { ...this.#effects.get(labelId), [address]: effect, revision });
      keepNewest(this.#effects, this.#options.transactions);
      return undefined;
    }
    if (address === "account") row.accountEffect = effect;
    else row.merchantEffect = effect;
    if (row.revision === 0) {
      row.revision = revision;
      this.#byTransaction.get(transactionKey(row.account, row.transactionId))?.sort((a, b) => a.revision - b.revision);
    }
    return row;
  }

  /** Newest first. */
  of(account: string, transactionId: string): readonly VerdictRow[] {
    return this.#byTransaction.get(transactionKey(account, transactionId))?.toReversed() ?? [];
  }

  /** The verdict that holds: of the highest revision, the one that came first. */
  verdictOf(account: string, transactionId: string): VerdictName | null {
    const rows = this.#byTransaction.get(transactionKey(account, transactionId)) ?? [];
    return rows.find(({ revision }) => revision === rows.at(-1)!.revision)?.verdict ?? null;
  }

  /** The next revision of a transaction's verdict; each is given out once. */
  nextRevision(account: string, transactionId: string): number {
    const key = transactionKey(account, transactionId);
    const revision = Math.max(this.#byTransaction.get(key)?.at(-1)?.revision ?? 0, this.#reserved.get(key) ?? 0) + 1;
    this.#reserved.set(key, revision);
    keepNewest(this.#reserved, this.#options.transactions);
    return revision;
  }

  /** What analysts said, newest first. */
  trail(limit: number): readonly VerdictRow[] {
    return this.#trail.slice(-limit).reverse();
  }
}
