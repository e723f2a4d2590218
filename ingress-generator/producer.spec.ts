import { beforeEach, describe, expect, it, vi } from "vitest";

import { TOPICS } from "../contract/topics.js";
import { FraudLabel, Transaction } from "../protos/gen/fraud/v1/transaction.js";
import type { HandbookDataSet } from "./handbook/data-set.js";
import { handbookItems } from "./handbook/items.js";
import { sendItems } from "./producer.js";

interface Batch {
  readonly topicMessages: readonly {
    readonly topic: string;
    readonly messages: readonly { readonly value: Buffer }[];
  }[];
}
const sent: Batch[] = [];

vi.mock("../kafka/client.js", () => ({
  Partitioners: {},
  kafkaClient: () => ({
    producer: () => ({
      connect: () => Promise.resolve(),
      disconnect: () => Promise.resolve(),
      sendBatch: (batch: Batch) => Promise.resolve(void sent.push(batch)),
    }),
  }),
  withAdmin: () => Promise.resolve(Object.values(TOPICS).map(({ name }) => name)),
}));

/** Three transactions, the first and the last of them fraud: their labels are known after the last transaction. */
const DATA: HandbookDataSet = {
  seconds: Uint32Array.of(10, 20, 30),
  customers: Uint16Array.of(1, 2, 3),
  terminals: Uint16Array.of(1, 2, 3),
  amountsMinor: Uint32Array.of(100, 200, 300),
  scenarios: Uint8Array.of(1, 0, 2),
  newFrauds: [1, 1, 0],
};

const send = (transactions?: number) =>
  sendItems(handbookItems(DATA, { runId: "h" }), { brokers: "nowhere:1", rate: 20_000, transactions });
const idsIn = (topic: string, id: (value: Buffer) => string): string[] =>
  sent.flatMap(({ topicMessages }) =>
    topicMessages
      .filter((one) => one.topic === topic)
      .flatMap(({ messages }) => messages.map(({ value }) => id(value))),
  );
const transactionIds = (): string[] =>
  idsIn(TOPICS.transactions.name, (value) => Transaction.decode(value).transactionId);

describe("sending what comes to an end", () => {
  beforeEach(() => void sent.splice(0));

  it("sends all of it once, the labels after the last transaction too, and ends", async () => {
    expect(await send()).toMatchObject({
      sentTransactions: 3,
      sentLabels: 2,
      frauds: { "large-amount": 1, "compromised-terminal": 1 },
    });
    expect(transactionIds()).toEqual(["h-0", "h-1", "h-2"]);
    expect(idsIn(TOPICS.labels.name, (value) => FraudLabel.decode(value).transactionId)).toEqual(["h-0", "h-2"]);
    expect(sent.every(({ topicMessages }) => topicMessages.length > 0)).toBe(true);
  });

  it("ends earlier after so many transactions", async () => {
    expect(await send(2)).toMatchObject({ sentTransactions: 2, sentLabels: 0 });
    expect(transactionIds()).toEqual(["h-0", "h-1"]);
  });
});
