import { kafkaClient } from "./client.js";
import { clusterOf, decoder, type Encoder, encoder, readEach, skipTags } from "./raw-requests.js";

const LIST_TRANSACTIONS = 66;
const DESCRIBE_TRANSACTIONS = 65;
const VERSION = 0;
/** It ended between the two questions. */
const UNKNOWN_ID = 105;

/** A transaction that has neither been committed nor aborted. */
export interface OpenTransaction {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly epoch: number;
  /** By the broker's clock. */
  readonly startedAtMs: number;
  /** The broker aborts it after this long. */
  readonly timeoutMs: number;
  /** The topics that it has written to. */
  readonly topics: readonly string[];
}

/**
 * The transactions that are open now. kafkajs 2.2.4 does not know these requests, which brokers have since Kafka 3.0.
 * With several brokers it asks one of them: each knows only those that it coordinates.
 *
 * @throws when no broker answers or it cannot say
 */
export async function openTransactions(brokers: string): Promise<OpenTransaction[]> {
  const cluster = clusterOf(kafkaClient(brokers, "fraud-transactions", { patient: false }));
  try {
    await cluster.connect();
    const { connectionPool } = await cluster.brokerPool.findConnectedBroker();
    const ask = <T>(apiKey: number, apiName: string, request: Encoder, read: (bytes: Buffer) => T): Promise<T> =>
      connectionPool.send({
        request: { apiKey, apiVersion: VERSION, apiName, encode: () => Promise.resolve(request) },
        response: { decode: (bytes) => Promise.resolve(read(bytes)), parse: (answer) => Promise.resolve(answer) },
      });
    const ids = await ask(LIST_TRANSACTIONS, "ListTransactions", listRequest(), idsIn);
    if (ids.length === 0) return [];
    return await ask(DESCRIBE_TRANSACTIONS, "DescribeTransactions", describeRequest(ids), transactionsIn);
  } finally {
    await cluster.disconnect();
  }
}

/** Whether two looks have seen the same transaction: a producer has one after the other under one id. */
export const isSame = (one: OpenTransaction, other: OpenTransaction): boolean =>
  one.transactionalId === other.transactionalId &&
  one.producerId === other.producerId &&
  one.epoch === other.epoch &&
  one.startedAtMs === other.startedAtMs;

/** Aborts a transaction, and shuts its producer out: as if another producer of its name had started. */
export async function abortTransaction(brokers: string, { transactionalId }: OpenTransaction): Promise<void> {
  // The broker asks it to try again until the abort is written.
  const producer = kafkaClient(brokers, "fraud-abort").producer({
    transactionalId,
    idempotent: true,
    maxInFlightRequests: 1,
  });
  try {
    await producer.connect();
    // It gets its epoch with its first transaction, of which the broker never hears.
    await producer.transaction();
  } finally {
    await producer.disconnect();
  }
}

/**
 * ListTransactions request, version 0: the header's tagged fields; states; no producers, which means all; tagged
 * fields.
 */
export const listRequest = (): Encoder =>
  encoder()
    .writeUVarInt(0)
    .writeUVarIntArray([encoder().writeUVarIntString("Ongoing")])
    .writeUVarInt(1)
    .writeUVarInt(0);

/** DescribeTransactions request, version 0: the header's tagged fields; transactional ids; tagged fields. */
export const describeRequest = (ids: readonly string[]): Encoder =>
  encoder()
    .writeUVarInt(0)
    .writeUVarIntArray(ids.map((id) => encoder().writeUVarIntString(id)))
    .writeUVarInt(0);

/** The transactional ids in a ListTransactions response, version 0. @throws Error when the broker could not say */
export function idsIn(bytes: Buffer): string[] {
  const from = decoder(bytes);
  const ids: string[] = [];
  skipTags(from);
  from.readInt32(); // throttle_time_ms
  check(from.readInt16());
  readEach(from, () => void from.readUVarIntString()); // unknown_state_filters
  readEach(from, () => {
    ids.push(from.readUVarIntString()!);
    from.readInt64(); // producer_id
    from.readUVarIntString(); // transaction_state
    skipTags(from);
  });
  return ids;
}

/** What a DescribeTransactions response, version 0, tells. @throws Error when the broker could not say */
export function transactionsIn(bytes: Buffer): OpenTransaction[] {
  const from = decoder(bytes);
  const found: OpenTransaction[] = [];
  skipTags(from);
  from.readInt32(); // throttle_time_ms
  readEach(from, () => {
    const error = from.readInt16();
    const transactionalId = from.readUVarIntString()!;
    const state = from.readUVarIntString();
    const timeoutMs = from.readInt32();
    const startedAtMs = Number(from.readInt64().toString());
    const producerId = BigInt(from.readInt64().toString());
    const epoch = from.readInt16();
    const topics: string[] = [];
    readEach(from, () => {
      topics.push(from.readUVarIntString()!);
      readEach(from, () => void from.readInt32());
      skipTags(from);
    });
    skipTags(from);
    if (error === UNKNOWN_ID) return;
    check(error);
    if (state === "Ongoing") found.push({ transactionalId, producerId, epoch, startedAtMs, timeoutMs, topics });
  });
  return found;
}

function check(error: number): void {
  if (error !== 0) throw new Error(`the broker cannot say which transactions are open: error ${error}`);
}
