import { transactionKey } from "../../../contract/transaction-key.js";
import { keepNewest } from "../../../process/keep-newest.js";
import type { SkimmedDecision } from "../skim.js";

/** A committed decision as it is kept: its bytes are decoded when someone looks at it. */
export interface KeptDecision {
  readonly accountId: string;
  readonly transactionId: string;
  readonly merchantId: string;
  readonly payload: Buffer;
  readonly partition: number;
  readonly offset: bigint;
  readonly seenAtMs: number;
}

export interface DecisionHistoryOptions {
  readonly perAccount: number;
  readonly perMerchant: number;
  /** Decisions of all accounts together; the accounts that were quiet longest go first. */
  readonly total: number;
  /** The merchants that were quiet longest go first. */
  readonly merchants: number;
  /** Suspicious decisions, kept for their alerts' pages. */
  readonly suspicious: number;
}

const DEFAULTS: DecisionHistoryOptions = {
  perAccount: 24,
  perMerchant: 30,
  total: 60_000,
  merchants: 1_000,
  suspicious: 20_000,
};

/** The newest decisions of each account and merchant, and the suspicious ones for longer. Bounded in each way. */
export class DecisionHistory {
  readonly #options: DecisionHistoryOptions;
  readonly #accounts = new Map<string, KeptDecision[]>();
  readonly #merchants = new Map<string, KeptDecision[]>();
  readonly #suspicious = new Map<string, KeptDecision>();
  #total = 0;

  constructor(options: Partial<DecisionHistoryOptions> = {}) {
    this.#options = { ...DEFAULTS, ...options };
  }

  /** Decisions that it holds for accounts. */
  get size(): number {
    return this.#total;
  }

  add(
    { accountId, transactionId, merchantId, payload }: SkimmedDecision,
    {
      partition,
      offset,
      seenAtMs,
      suspicious,
    }: { partition: number; offset: bigint; seenAtMs: number; suspicious: boolean },
  ): void {
    // A copy: `payload` is a piece of all that was fetched, which would stay in memory with it.
    const kept: KeptDecision = {
      accountId,
      transactionId,
      merchantId,
      payload: Buffer.from(payload),
      partition,
      offset,
      seenAtMs,
    };
    const account = touch(this.#accounts, accountId);
    account.push(kept);
    this.#total++;
    if (account.length > this.#options.perAccount) {
      account.shift();
      this.#total--;
    }
    while (this.#total > this.#options.total) {
      const [oldest, list] = this.#accounts.entries().next().value!;
      this.#accounts.delete(oldest);
      this.#total -= list.length;
    }
    const merchant = touch(this.#merchants, merchantId);
    merchant.push(kept);
    if (merchant.length > this.#options.perMerchant) merchant.shift();
    keepNewest(this.#merchants, this.#options.merchants);
    if (!suspicious) return;
    this.#suspicious.set(transactionKey(accountId, transactionId), kept);
    keepNewest(this.#suspicious, this.#options.suspicious);
  }

  /** The last one, when a transaction came again after its account had forgotten it. */
  find(accountId: string, transactionId: string): KeptDecision | undefined {
    return (
      this.#accounts.get(accountId)?.findLast((kept) => kept.transactionId === transactionId) ??
      this.#suspicious.get(transactionKey(accountId, transactionId))
    );
  }

  /** In account order. */
  ofAccount(accountId: string): readonly KeptDecision[] {
    return this.#accounts.get(accountId) ?? [];
  }

  /** In the order in which they were read. */
  ofMerchant(merchantId: string): readonly KeptDecision[] {
    return this.#merchants.get(merchantId) ?? [];
  }
}

/** The list under a key, as the one used last. */
function touch(lists: Map<string, KeptDecision[]>, key: string): KeptDecision[] {
  const list = lists.get(key) ?? [];
  lists.delete(key);
  lists.set(key, list);
  return list;
}
