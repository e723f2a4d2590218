import { contentHash } from "../../contract/content-hash.js";
import { TOPICS } from "../../contract/topics.js";
import { Random, Zipf } from "../../ingress-generator/random.js";
import { stepMs } from "../../ingress-generator/simulator.js";
import { partitionOf } from "../../kafka/partition.js";
import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";

/** A transaction as `transactions.valid` takes it. */
export interface EncodedTransaction {
  readonly key: string;
  readonly partition: number;
  readonly value: Buffer;
}

/**
 * How often each account and merchant is drawn: all as often as each other, or the one of rank r in proportion to 1/r.
 */
export const KEYS = ["uniform", "zipf"] as const;
export type Keys = (typeof KEYS)[number];

export interface StockOptions {
  readonly seed: number;
  readonly accounts: number;
  readonly merchants: number;
  readonly keys: Keys;
  /** What a record's key is: the account's id, as the intake writes it, or the transaction's. */
  readonly recordKey: "account" | "transaction";
  /** Begin with a transaction of each account, in their order, until {@link TransactionStock.fill}. */
  readonly eachOnce: boolean;
}

const PREFIX = "load-";
/** Event time begins long enough ago never to reach the present. */
const SPAN_MS = 10 * 365 * 24 * 3_600_000;
const PLACE = { latitudeE6: 38_722_300, longitudeE6: -9_139_300, name: "Lisbon, PT" };

/** Transactions without end. Encoded in stock, so that to send them costs little. */
export class TransactionStock {
  readonly #options: StockOptions;
  readonly #account: () => number;
  readonly #merchant: () => number;
  readonly #startMs = Date.now() - SPAN_MS;
  readonly #stepMs: number;
  #stock: EncodedTransaction[] = [];
  #taken = 0;
  #made = 0;
  #eachOnce: boolean;

  constructor(options: StockOptions) {
    const { seed, accounts, merchants, keys, eachOnce } = options;
    this.#options = options;
    const random = new Random(seed);
    this.#account = drawing(accounts, keys, random);
    this.#merchant = drawing(merchants, keys, random);
    this.#stepMs = stepMs(accounts);
    this.#eachOnce = eachOnce;
  }

  /** Encodes this many ahead; from now on accounts are drawn. */
  fill(count: number): void {
    this.#eachOnce = false;
    this.#stock = this.#stock.slice(this.#taken);
    this.#taken = 0;
    while (this.#stock.length < count) this.#stock.push(this.#make());
  }

  /** The next one; they are numbered from 0. */
  next(): EncodedTransaction {
    const stored = this.#stock[this.#taken];
    if (stored === undefined) return this.#make();
    this.#taken++;
    return stored;
  }

  #make(): EncodedTransaction {
    const n = this.#made++;
    const account = this.#eachOnce ? n % this.#options.accounts : this.#account();
    const transactionId = `${PREFIX}${n}`;
    const accountId = `load-a${account + 1}`;
    const key = this.#options.recordKey === "account" ? accountId : transactionId;
    const partition = partitionOf(key, TOPICS.transactionsValid.partitions);
    const transaction = Transaction.fromPartial({
      transactionId,
      accountId,
      merchantId: `load-m${this.#merchant() + 1}`,
      amountMinor: BigInt(500 + (n % 5_000)),
      currency: "EUR",
      eventTimeMs: BigInt(Math.floor(this.#startMs + n * this.#stepMs)),
      location: PLACE,
      merchantName: "Corner shop",
      origin: { topic: TOPICS.transactions.name, partition, offset: BigInt(n) },
    });
    transaction.contentHash = contentHash(transaction);
    return { key, partition, value: Buffer.from(Transaction.encode(transaction).finish()) };
  }
}

/** Draws one of so many, from 0 on. */
function drawing(count: number, keys: Keys, random: Random): () => number {
  if (keys === "uniform") return () => random.int(0, count - 1);
  const zipf = new Zipf(count);
  return () => zipf.rank(random);
}

/** The number of one of these transactions by its id; `undefined` for any other. */
export function numberOf(transactionId: string): number | undefined {
  return transactionId.startsWith(PREFIX) ? Number(transactionId.slice(PREFIX.length)) : undefined;
}
