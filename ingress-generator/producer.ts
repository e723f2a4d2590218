import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import type { TopicMessages } from "kafkajs";

import { LIMITS } from "../contract/limits.js";
import { TOPICS } from "../contract/topics.js";
import { kafkaClient, Partitioners, withAdmin } from "../kafka/client.js";
import { FraudLabel, Transaction } from "../protos/gen/fraud/v1/transaction.js";
import { UserError } from "../terminal/user-error.js";
import { dueCount, dueMs } from "./pacing.js";
import { type FraudPattern, simulate, type SimulatedItem, stepMs } from "./simulator.js";

const TICK_MS = 10;
/** Of one request to Kafka. All of it may be for one partition, and a `*.valid` topic takes no larger batch. */
const MAX_SEND_BYTES: Readonly<Record<GeneratorTarget, number>> = {
  public: 256 * 1024,
  valid: LIMITS.recordBytes - 4 * 1024,
};
/** A record's length, timestamp and headers in a batch, at most. */
const RECORD_OVERHEAD_BYTES = 32;
const DAY_MS = 24 * 3_600_000;
/** Endless runs begin this long ago; event time moves hours a second, and must not overtake the clock. */
const ENDLESS_SPAN_MS = 10 * 365 * DAY_MS;

/** Which topics a generator writes: `public` through the intake like everybody, or `valid` past it. */
export type GeneratorTarget = "public" | "valid";

export interface SendOptions {
  readonly brokers: string;
  /** Default `public`. */
  readonly target?: GeneratorTarget | undefined;
  /** Transactions a second, by the clock on the wall. Labels come on top. */
  readonly rate: number;
  /** How many transactions; default: until the signal, or the end of what there is. */
  readonly transactions?: number | undefined;
  /** Called just before an item is handed to Kafka, with the wall-clock time (ms) at which it was due. */
  readonly onSend?: (item: SimulatedItem, dueAtMs: number) => void;
  /** Ends the run early, in order. */
  readonly signal?: AbortSignal | undefined;
}

export interface GeneratorOptions extends SendOptions {
  readonly seed: number;
  readonly runId: string;
  readonly accounts: number;
  readonly merchants?: number | undefined;
  readonly labelDelayMs?: number | undefined;
  /** Event time of the beginning, in ms since 1970; default {@link defaultStart}. */
  readonly startMs?: number | undefined;
}

/** What was sent. */
export interface Sent {
  readonly sentTransactions: number;
  readonly sentLabels: number;
  /** Fraudulent transactions by pattern. */
  readonly frauds: Readonly<Partial<Record<FraudPattern, number>>>;
  readonly elapsedMs: number;
}

/** What a simulation sent, and where its event time began. */
export interface Generated extends Sent {
  readonly startMs: number;
}

/** A run id that no other run has: `r` and seven random letters and digits. */
export const newRunId = (): string => `r${randomBytes(8).readBigUInt64BE().toString(36).slice(-7).padStart(7, "0")}`;

/** Where a run's event time begins, so that it ends a little before now; without an end, ten years ago. */
export function defaultStart(nowMs: number, accounts: number, transactions: number | undefined): number {
  const span = transactions === undefined ? ENDLESS_SPAN_MS : transactions * stepMs(accounts) + DAY_MS;
  return Math.floor(nowMs - span);
}

/** Sends what {@link simulate} makes of the options, as {@link sendItems} does. */
export async function runGenerator(options: GeneratorOptions): Promise<Generated> {
  const { transactions, accounts } = options;
  const startMs = options.startMs ?? defaultStart(Date.now(), accounts, transactions);
  const items = simulate({
    seed: options.seed,
    runId: options.runId,
    startMs,
    accounts,
    ...(options.merchants && { merchants: options.merchants }),
    ...(options.labelDelayMs && { labelDelayMs: options.labelDelayMs }),
  });
  return { ...(await sendItems(items, options)), startMs };
}

/**
 * Sends transactions and labels at a steady rate, with an idempotent producer: each record stands there once, in order.
 * A record's timestamp is when it was due. Kafka falling behind delays records, and never thins them out. What comes
 * after the last transaction of all is sent too.
 *
 * @throws {UserError} when Kafka is not there, or event time has reached the present
 */
export async function sendItems(items: Iterator<SimulatedItem, void, void>, options: SendOptions): Promise<Sent> {
  const { brokers, rate, transactions, onSend, signal, target = "public" } = options;
  const topics = TARGETS[target];
  const producer = kafkaClient(brokers, "fraud-generator").producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await requireTopics(brokers, Object.values(topics));
  await producer.connect();
  const began = Date.now();
  const frauds: Partial<Record<FraudPattern, number>> = {};
  let sentTransactions = 0;
  let sentLabels = 0;
  let ended = false;
  try {
    while (!ended && !signal?.aborted && sentTransactions < (transactions ?? Infinity)) {
      const due = Math.min(dueCount(Date.now() - began, rate), transactions ?? Infinity);
      if (sentTransactions >= due) {
        await delay(TICK_MS);
        continue;
      }
      const batch: Record<string, TopicMessages["messages"]> = { [topics.transaction]: [], [topics.label]: [] };
      for (let bytes = 0; bytes < MAX_SEND_BYTES[target] && sentTransactions < due;) {
        const next = items.next();
        if (next.done) {
          ended = true;
          break;
        }
        const item = next.value;
        const dueAtMs = Math.floor(began + dueMs(sentTransactions, rate));
        if (Number(item.message.eventTimeMs) > Date.now())
          throw new UserError(
            "the simulated time has reached the present. Begin a new run, or an earlier one with --start.",
          );
        onSend?.(item, dueAtMs);
        const record = { key: item.message.accountId, value: encodeItem(item), timestamp: String(dueAtMs) };
        batch[topics[item.kind]]!.push(record);
        bytes += record.key.length + record.value.length + RECORD_OVERHEAD_BYTES;
        if (item.kind === "label") sentLabels++;
        else {
          sentTransactions++;
          if (item.fraud !== undefined) frauds[item.fraud] = (frauds[item.fraud] ?? 0) + 1;
        }
      }
      const topicMessages = Object.entries(batch).flatMap(([topic, messages]) =>
        messages.length === 0 ? [] : [{ topic, messages }],
      );
      if (topicMessages.length > 0) await producer.sendBatch({ acks: -1, topicMessages });
    }
    return { sentTransactions, sentLabels, frauds, elapsedMs: Date.now() - began };
  } finally {
    await producer.disconnect();
  }
}

/** @throws {UserError} when Kafka is not there, or is another one */
async function requireTopics(brokers: string, wanted: readonly string[]): Promise<void> {
  const topics = await withAdmin(brokers, (admin) => admin.listTopics());
  for (const name of wanted) {
    if (!topics.includes(name))
      throw new UserError(
        `Kafka at ${brokers} has no topic ${name}. Is the cluster up? Start it: npm run cluster -- up`,
      );
  }
}

const TARGETS: Readonly<Record<GeneratorTarget, Readonly<Record<SimulatedItem["kind"], string>>>> = {
  public: { transaction: TOPICS.transactions.name, label: TOPICS.labels.name },
  valid: { transaction: TOPICS.transactionsValid.name, label: TOPICS.labelsValid.name },
};

/** The topic that an item goes to. */
export const topicOf = ({ kind }: SimulatedItem, target: GeneratorTarget): string => TARGETS[target][kind];

/** An item's bytes as they stand in its topic. */
export function encodeItem(item: SimulatedItem): Buffer {
  return Buffer.from(
    item.kind === "transaction" ? Transaction.encode(item.message).finish() : FraudLabel.encode(item.message).finish(),
  );
}
