import { TOPICS } from "../../contract/topics.js";
import { kafkaClient } from "../../kafka/client.js";
import { type OpenTransaction, openTransactions } from "../../kafka/transactions.js";

/** A Kafka transaction that nobody ends, as a job that is gone leaves it. */
export interface LeftOpen {
  readonly transactionalId: string;
  /** What the broker says of it: nothing, once it has ended. */
  readonly open: () => Promise<OpenTransaction[]>;
}

/** Writes a decision in a transaction that the broker would let live for 72 h, and leaves it open. */
export async function leaveTransactionOpen(brokers: string): Promise<LeftOpen> {
  const transactionalId = "of-a-job-that-is-gone";
  const producer = kafkaClient(brokers, "gone").producer({
    transactionalId,
    idempotent: true,
    maxInFlightRequests: 1,
    transactionTimeout: 72 * 3_600_000,
  });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic: TOPICS.decisions.name, messages: [{ key: "ada", value: "never committed" }] });
  await producer.disconnect();
  return {
    transactionalId,
    open: async () => (await openTransactions(brokers)).filter((one) => one.transactionalId === transactionalId),
  };
}
