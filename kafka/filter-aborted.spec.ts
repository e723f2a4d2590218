import { createRequire } from "node:module";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import "./client.js";
import { type AbortedTransaction, type FetchedMessage, filterAborted } from "./filter-aborted.js";

const ABORT = Buffer.from([0, 0, 0, 0]);
const COMMIT = Buffer.from([0, 0, 0, 1]);

const data = (offset: number, producerId: string, key = "k", inTransaction = true): FetchedMessage => ({
  offset: `${offset}`,
  key: Buffer.from(key),
  isControlRecord: false,
  batchContext: { producerId, inTransaction },
});
const marker = (offset: number, producerId: string, key: Buffer): FetchedMessage => ({
  offset: `${offset}`,
  key,
  isControlRecord: true,
  batchContext: { producerId, inTransaction: true },
});
const offsets = (messages: readonly FetchedMessage[]) => messages.map(({ offset }) => Number(offset));

describe("filterAborted", () => {
  it("does not rely on the order of the broker's list", () => {
    const messages = [
      data(0, "a"),
      data(1, "b"),
      marker(2, "a", ABORT),
      marker(3, "b", ABORT),
      data(4, "a"),
      marker(5, "a", COMMIT),
    ];
    const abortedTransactions = [
      { producerId: "b", firstOffset: "1" },
      { producerId: "a", firstOffset: "0" },
    ];
    expect(offsets(filterAborted({ messages, abortedTransactions }))).toEqual([2, 3, 4, 5]);
  });

  it("knows of two transactions that began before what was fetched", () => {
    const messages = [data(100, "b"), data(101, "a"), marker(102, "a", ABORT), marker(103, "b", ABORT)];
    const abortedTransactions = [
      { producerId: "a", firstOffset: "7" },
      { producerId: "b", firstOffset: "9" },
    ];
    expect(offsets(filterAborted({ messages, abortedTransactions }))).toEqual([102, 103]);
  });

  it("takes a data record whose key looks like a marker for data", () => {
    const messages = [data(0, "a", "\0\0\0\0"), data(1, "a"), marker(2, "a", ABORT)];
    expect(offsets(filterAborted({ messages, abortedTransactions: [{ producerId: "a", firstOffset: "0" }] }))).toEqual([
      2,
    ]);
  });

  it("lets records through that are in no transaction, and everything when nothing was aborted", () => {
    const messages = [data(0, "a", "k", false), data(1, "b")];
    expect(offsets(filterAborted({ messages, abortedTransactions: [{ producerId: "a", firstOffset: "0" }] }))).toEqual([
      0, 1,
    ]);
    expect(offsets(filterAborted({ messages, abortedTransactions: null }))).toEqual([0, 1]);
  });

  it("is what kafkajs uses", () => {
    const require = createRequire(import.meta.url);
    const Batch = require("kafkajs/src/consumer/batch.js") as new (
      topic: string,
      offset: string,
      data: unknown,
    ) => { messages: FetchedMessage[] };
    const messages = [data(100, "b"), data(101, "a"), marker(102, "a", ABORT), marker(103, "b", ABORT), data(104, "c")];
    const abortedTransactions = [
      { producerId: "b", firstOffset: "9" },
      { producerId: "a", firstOffset: "7" },
    ];
    expect(
      offsets(new Batch("t", "100", { partition: 0, highWatermark: "105", messages, abortedTransactions }).messages),
    ).toEqual([104]);
  });

  it("delivers exactly the committed records of any log, wherever the fetch begins and ends", () => {
    // A log is a series of steps of a few producers: write within a transaction, or end it.
    const step = fc.record({
      producer: fc.constantFrom("a", "b", "c"),
      what: fc.constantFrom("write", "write", "write", "commit", "abort", "plain"),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.nat(60),
        fc.nat(60),
        fc.infiniteStream(fc.nat(1000)),
        (steps, begin, length, shuffle) => {
          const log: FetchedMessage[] = [];
          const open = new Map<string, { first: number; offsets: number[] }>();
          const abortedTransactions: (AbortedTransaction & { last: number })[] = [];
          const hidden = new Set<number>();
          for (const { producer, what } of steps) {
            const offset = log.length;
            if (what === "plain") log.push(data(offset, producer, "k", false));
            else if (what === "write") {
              const transaction = open.get(producer) ?? { first: offset, offsets: [] };
              transaction.offsets.push(offset);
              open.set(producer, transaction);
              log.push(data(offset, producer));
            } else {
              const transaction = open.get(producer);
              if (transaction === undefined) continue;
              open.delete(producer);
              log.push(marker(offset, producer, what === "abort" ? ABORT : COMMIT));
              if (what === "abort") {
                abortedTransactions.push({ producerId: producer, firstOffset: `${transaction.first}`, last: offset });
                for (const at of transaction.offsets) hidden.add(at);
              }
            }
          }
          // A committed read ends before the first open transaction.
          const stable = Math.min(log.length, ...[...open.values()].map(({ first }) => first));
          const from = Math.min(begin, stable);
          const to = Math.min(from + length, stable);
          const messages = log.slice(from, to);
          const touching = abortedTransactions
            .filter(({ firstOffset, last }) => Number(firstOffset) < to && last >= from)
            .map((entry) => ({ entry, at: shuffle.next().value as number }))
            .sort((x, y) => x.at - y.at)
            .map(({ entry }) => entry);
          const expected = messages.filter(
            ({ isControlRecord, offset }) => !isControlRecord && !hidden.has(Number(offset)),
          );
          expect(
            offsets(
              filterAborted({ messages, abortedTransactions: touching }).filter(
                ({ isControlRecord }) => !isControlRecord,
              ),
            ),
          ).toEqual(offsets(expected));
        },
      ),
    );
  });
});
