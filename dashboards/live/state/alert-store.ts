import { transactionKey } from "../../../contract/transaction-key.js";
import { type AlertFilter, matcher } from "../filter.js";
import type { AlertRow, OutcomeName, VerdictName } from "../wire.js";

/** An alert before it has its number. */
export type NewAlert = Omit<AlertRow, "n" | "outcome" | "open" | "verdict">;

const episodeKey = (account: string, episode: string): string => `${episode}/${account}`;

/** The newest alerts that opened or escalated an episode, in the order in which they were read. Bounded. */
export class AlertStore {
  readonly #limit: number;
  /** Oldest first; those before `#first` are gone. */
  #rows: AlertRow[] = [];
  #first = 0;
  #next = 1;
  readonly #byId = new Map<string, AlertRow>();
  readonly #byEpisode = new Map<string, AlertRow[]>();
  readonly #byTransaction = new Map<string, AlertRow>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#rows.length - this.#first;
  }

  /** @returns the row; `undefined` when it is known already */
  add(alert: NewAlert, verdict: VerdictName | null = null, outcome: OutcomeName | null = null): AlertRow | undefined {
    if (this.#byId.has(alert.id)) return undefined;
    const row: AlertRow = { ...alert, n: this.#next++, outcome, open: true, verdict };
    this.#rows.push(row);
    this.#byId.set(row.id, row);
    this.#byTransaction.set(transactionKey(row.account, row.transactionId), row);
    const key = episodeKey(row.account, row.episode);
    const episode = this.#byEpisode.get(key);
    if (episode === undefined) this.#byEpisode.set(key, [row]);
    else episode.push(row);
    if (this.size > this.#limit) this.#drop();
    return row;
  }

  /** Marks an episode as closed. @returns whether one was open */
  close(account: string, episode: string): boolean {
    const rows = this.#byEpisode.get(episodeKey(account, episode))?.filter(({ open }) => open) ?? [];
    for (const row of rows) row.open = false;
    return rows.length > 0;
  }

  /** Marks the alert of a transaction. */
  setVerdict(account: string, transactionId: string, verdict: VerdictName): void {
    const row = this.#byTransaction.get(transactionKey(account, transactionId));
    if (row !== undefined) row.verdict = verdict;
  }

  /** Notes what was decided on a transaction. @returns its alert, if that was not known of it */
  setOutcome(account: string, transactionId: string, outcome: OutcomeName): AlertRow | undefined {
    const row = this.#byTransaction.get(transactionKey(account, transactionId));
    if (row === undefined || row.outcome === outcome) return undefined;
    row.outcome = outcome;
    return row;
  }

  find(id: string): AlertRow | undefined {
    return this.#byId.get(id);
  }

  /**
   * The newest alerts that match, newest first.
   *
   * @param before - only those with smaller numbers
   * @returns the page, and how many match in all
   */
  query(
    filter: AlertFilter,
    { limit, before = Infinity }: { limit: number; before?: number },
  ): { rows: AlertRow[]; total: number } {
    const matches = matcher(filter);
    const rows: AlertRow[] = [];
    let total = 0;
    for (let at = this.#rows.length - 1; at >= this.#first; at--) {
      const row = this.#rows[at]!;
      if (!matches(row)) continue;
      total++;
      if (row.n < before && rows.length < limit) rows.push(row);
    }
    return { rows, total };
  }

  #drop(): void {
    const row = this.#rows[this.#first++]!;
    this.#byId.delete(row.id);
    const transaction = transactionKey(row.account, row.transactionId);
    if (this.#byTransaction.get(transaction) === row) this.#byTransaction.delete(transaction);
    const key = episodeKey(row.account, row.episode);
    const rest = this.#byEpisode.get(key)?.filter((one) => one !== row) ?? [];
    if (rest.length === 0) this.#byEpisode.delete(key);
    else this.#byEpisode.set(key, rest);
    // Seldom, and all at once: each drop on its own would move the whole array.
    if (this.#first > this.#limit) {
      this.#rows = this.#rows.slice(this.#first);
      this.#first = 0;
    }
  }
}
