import { contentHash } from "../../contract/content-hash.js";
import { TOPICS } from "../../contract/topics.js";
import { Random } from "../../ingress-generator/random.js";
import { stepMs } from "../../ingress-generator/simulator.js";
import { partitionOf } from "../../kafka/partition.js";
import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";

/** A transaction as `transactions.valid` takes it. */
export interface EncodedTransaction {
  readonly key: string;
  readonly partition: number;
  readonly value: Buffer;
}

const PREFIX = "load-";
/** Event time begins long enough ago never to reach the present. */
const SPAN_MS = 10 * 365 * 24 * 3_600_000;
const PLACE = { latitudeE6: 38_722_300, longitudeE6: -9_139_300, name: "Lisbon, PT" };

/**
 * Transactions without end, each of an account and at a merchant that are drawn evenly: no address is more popular than
 * another. Encoded in stock, so that to send them costs little.
 */
export class TransactionStock {
  readonly #random: Random;
  readonly #accounts: readonly { readonly id: string; readonly partition: number }[];
  readonly #merchants: readonly string[];
  readonly #startMs = Date.now() - SPAN_MS;
  readonly #stepMs: number;
  #stock: EncodedTransaction[] = [];
  #taken = 0;
  #made = 0;

  constructor(seed: number, accounts: number, merchants: number) {
    this.#random = new Random(seed);
    this.#accounts = Array.from({ length: accounts }, (_, n) => ({
      id: `load-a${n + 1}`,
      partition: partitionOf(`load-a${n + 1}`, TOPICS.transactionsValid.partitions),
    }));
    this.#merchants = Array.from({ length: merchants }, (_, n) => `load-m${n + 1}`);
    this.#stepMs = stepMs(accounts);
  }

  /** Encodes this many ahead. */
  fill(count: number): void {
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
    const account = this.#random.pick(this.#accounts);
    const transaction = Transaction.fromPartial({
      transactionId: `${PREFIX}${n}`,
      accountId: account.id,
      merchantId: this.#random.pick(this.#merchants),
      amountMinor: BigInt(500 + (n % 5_000)),
      currency: "EUR",
      eventTimeMs: BigInt(Math.floor(this.#startMs + n * this.#stepMs)),
      location: PLACE,
      merchantName: "Corner shop",
      origin: { topic: TOPICS.transactions.name, partition: account.partition, offset: BigInt(n) },
    });
    transaction.contentHash = contentHash(transaction);
    return {
      key: account.id,
      partition: account.partition,
      value: Buffer.from(Transaction.encode(transaction).finish()),
    };
  }
}

/** The number of one of these transactions by its id; `undefined` for any other. */
export function numberOf(transactionId: string): number | undefined {
  return transactionId.startsWith(PREFIX) ? Number(transactionId.slice(PREFIX.length)) : undefined;
}
