import { describe, expect, it } from "vitest";

import { contentHash } from "../../contract/content-hash.js";
import { TOPICS } from "../../contract/topics.js";
import { partitionOf } from "../../kafka/partition.js";
import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { numberOf, TransactionStock } from "./transactions.js";

describe("a stock of transactions", () => {
  it("has what the intake would have written, numbered from 0, in stock or not", () => {
    const stock = new TransactionStock(7, 50, 5);
    stock.fill(10);
    const seen = Array.from({ length: 1_000 }, () => stock.next());
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
    const stock = new TransactionStock(7, 50, 5);
    stock.fill(3);
    stock.next();
    stock.fill(3);
    const numbers = Array.from({ length: 4 }, () => numberOf(Transaction.decode(stock.next().value).transactionId));
    expect(numbers).toEqual([1, 2, 3, 4]);
  });

  it("is told from other transactions", () => {
    expect(numberOf("rabc-17")).toBeUndefined();
  });
});
