import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import { UserError } from "../terminal/user-error.js";
import { type GeneratorTarget, ItemSender } from "./item-sender.js";
import { dueCount, dueMs } from "./pacing.js";
import { type FraudPattern, simulate, type SimulatedItem, stepMs } from "./simulator.js";

const TICK_MS = 10;
const DAY_MS = 24 * 3_600_000;
/** Endless runs begin this long ago; event time moves hours a second, and must not overtake the clock. */
const ENDLESS_SPAN_MS = 10 * 365 * DAY_MS;

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
  const sender = await ItemSender.connect(brokers, target);
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
      while (!sender.isFull && sentTransactions < due) {
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
        sender.add(item, dueAtMs);
        if (item.kind === "label") sentLabels++;
        else {
          sentTransactions++;
          if (item.fraud !== undefined) frauds[item.fraud] = (frauds[item.fraud] ?? 0) + 1;
        }
      }
      await sender.flush();
    }
    return { sentTransactions, sentLabels, frauds, elapsedMs: Date.now() - began };
  } finally {
    await sender.close();
  }
}
