import { setTimeout as delay } from "node:timers/promises";

import type { Message } from "kafkajs";

import { LIMITS } from "../../contract/limits.js";
import { TOPICS } from "../../contract/topics.js";
import { dueCount } from "../../ingress-generator/pacing.js";
import { kafkaClient } from "../../kafka/client.js";
import { given } from "../../process/environment.js";
import type { LoadCommand, LoadNews } from "./load-messages.js";
import { type StockOptions, TransactionStock } from "./transactions.js";

/**
 * Sends transactions to `transactions.valid`, past the intake, or through its door, as it is told: see
 * {@link LoadCommand}. In its own process, so that its processor time can be told from that of the measuring process.
 */
const SEED = 7;
/** Of one partition, then a request is full: with its last record it still fits into a batch that the topic takes. */
const BATCH_BYTES = LIMITS.recordBytes - 4 * 1024;
const RECORD_OVERHEAD_BYTES = 32;

const env = given();
const stock = new TransactionStock({ seed: SEED, ...(JSON.parse(env["BENCH_LOAD"]!) as Omit<StockOptions, "seed">) });
const producer = kafkaClient(env["KAFKA"]!, "bench-load").producer({ idempotent: true, maxInFlightRequests: 1 });
const tell = (news: LoadNews): void => void process.send!(news);
let next: LoadCommand | undefined;
let total = 0;

process.on("message", (command: LoadCommand) => (next = command));
// Who started this process ends it, and it ends with that.
process.on("SIGINT", () => undefined);
process.on("disconnect", () => process.exit(1));

/** Sends at most this many; fewer when a partition's batch is full. */
async function send(most: number): Promise<void> {
  const filled = new Map<number, number>();
  const messages: Message[] = [];
  while (messages.length < most) {
    const { key, partition, value } = stock.next();
    messages.push({ key, partition, value });
    const bytes = (filled.get(partition) ?? 0) + key.length + value.length + RECORD_OVERHEAD_BYTES;
    filled.set(partition, bytes);
    if (bytes > BATCH_BYTES) break;
  }
  const { name: topic } = throughIntake ? TOPICS.transactions : TOPICS.transactionsValid;
  await producer.send({ topic, acks: -1, messages });
  total += messages.length;
  tell({ kind: "sent", total });
}

await producer.connect();
tell({ kind: "ready" });
let from = 0;
let beganMs = Date.now();
let perSecond = 0;
let tickMs = 25;
let throughIntake = false;
for (;;) {
  if (next !== undefined) {
    const command = next;
    next = undefined;
    if (command.kind === "stop") break;
    if (command.kind === "stock") {
      stock.fill(command.count);
      tell({ kind: "idle", total });
      continue;
    }
    // Whoever was due until this moment is sent by the rate of before.
    for (const due = from + (perSecond > 0 ? dueCount(Date.now() - beganMs, perSecond) : 0); total < due;)
      await send(due - total);
    from = total;
    beganMs = Date.now();
    perSecond = command.kind === "rate" ? command.perSecond : 0;
    if (command.kind === "rate") ({ tickMs, throughIntake } = command);
    tell({ kind: "segment", from, beganMs, perSecond: command.kind === "rate" ? perSecond : null });
    if (command.kind === "burst") while (total < from + command.count) await send(from + command.count - total);
    if (perSecond === 0) {
      from = total;
      tell({ kind: "idle", total });
    }
  }
  const due = perSecond > 0 ? from + dueCount(Date.now() - beganMs, perSecond) : total;
  if (total < due) await send(due - total);
  else await delay(tickMs);
}
await producer.disconnect();
process.exit(0);
