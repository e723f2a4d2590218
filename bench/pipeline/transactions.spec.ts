import { describe, expect, it } from "vitest";

import { contentHash } from "../../contract/content-hash.js";
import { TOPICS } from "../../contract/topics.js";
import { partitionOf } from "../../kafka/partition.js";
import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { numberOf, type StockOptions, TransactionStock } from "./transactions.js";

const stockOf = (options: Partial<StockOptions> = {}): TransactionStock =>
  new TransactionStock({
    seed: 7,
    accounts: 50,
    merchants: 5,
    keys: "uniform",
    recordKey: "account",
    eachOnce: false,
    ...options,
  });
const taken = (stock: TransactionStock, count: number) => Array.from({ length: count }, () => stock.next());

describe("a stock of transactions", () => {
  it("has what the intake would have written, numbered from 0, in stock or not", () => {
    const stock = stockOf();
    stock.fill(10);
    const seen = taken(stock, 1_000);
    for (const [n, { key, partition, value }] of seen.entries()) {
      const transaction = Transaction.decode(value);
      expect(numberOf(transaction.transactionId)).toBe(n);
      expect(transaction.accountId).toBe(key);
      expect(partition).toBe(partitionOf(key, TOPICS.transactionsValid.partitions));
      expect(transaction.contentHash).toEqual(contentHash(transaction));
    }
    expect(new Set(seen.map(({ key }) => key)).size).toBe(50);
  });

  it("goes on where it was when it is filled again", () => {
    const stock = stockOf();
    stock.fill(3);
    stock.next();
    stock.fill(3);
    const numbers = taken(stock, 4).map(({ value }) => numberOf(Transaction.decode(value).transactionId));
    expect(numbers).toEqual([1, 2, 3, 4]);
  });

  it("draws each account as often as the others, or the first ones most", () => {
    const timesOf = (options: Partial<StockOptions>): number[] => {
      const times = new Map<string, number>();
      for (const { key } of taken(stockOf(options), 6_000)) times.set(key, (times.get(key) ?? 0) + 1);
      return Array.from({ length: 50 }, (_, n) => times.get(`load-a${n + 1}`) ?? 0);
    };
    const uniform = timesOf({});
    expect(Math.max(...uniform)).toBeLessThan(2 * Math.min(...uniform));
    const zipf = timesOf({ keys: "zipf" });
    // 1 / 1 of the sum of 1 / r, which is 4.5 for 50.
    expect(zipf[0]! / 6_000).toBeCloseTo(1 / 4.5, 1);
    expect(zipf[0]! / zipf[9]!).toBeGreaterThan(6);
    expect(zipf[0]! / zipf[9]!).toBeLessThan(16);
  });

  it("begins with each account once when it is to, until it is filled", () => {
    const stock = stockOf({ eachOnce: true });
    expect(taken(stock, 50).map(({ key }) => key)).toEqual(Array.from({ length: 50 }, (_, n) => `load-a${n + 1}`));
    stock.fill(60);
    const after = taken(stock, 50).map(({ key }) => key);
    expect(new Set(after).size).toBeLessThan(50);
    expect(numberOf(Transaction.decode(stock.next().value).transactionId)).toBe(100);
  });

  it("has the transaction's id as key for those that are addressed by it", () => {
    for (const { key, partition, value } of taken(stockOf({ recordKey: "transaction" }), 20)) {
      expect(Transaction.decode(value).transactionId).toBe(key);
      expect(partition).toBe(partitionOf(key, TOPICS.transactionsValid.partitions));
    }
  });

  it("is told from other transactions", () => {
    expect(numberOf("rabc-17")).toBeUndefined();
  });
});
