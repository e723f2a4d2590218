import { TOPICS } from "../contract/topics.js";
import { followTopics } from "../kafka/consumer.js";
import { poll } from "../process/poll.js";
import { LiveStats } from "./live-stats.js";
import { runGenerator } from "./producer.js";

const RATE = 200;
const LIMIT_MS = 180_000;

export interface WarmUpOptions {
  readonly brokers: string;
  readonly runId: string;
  readonly seed: number;
  readonly transactions: number;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Sends transactions of a separate run and waits for their decisions. Java runs many times faster once it has
 * compiled what is used much; without this the first figures would tell of the compiler.
 */
export async function warmUp({ brokers, runId, seed, transactions, onProgress, signal }: WarmUpOptions): Promise<void> {
  const stats = new LiveStats(runId, 1);
  const reader = await followTopics({
    brokers,
    topics: [TOPICS.decisions.name],
    from: "end",
    onRecord: ({ value, arrivedAtMs }) => value !== null && stats.onDecision(value, arrivedAtMs),
  });
  const timer = setInterval(
    () => onProgress(`${stats.snapshot(Date.now()).decided} of ${transactions} decided`),
    2_000,
  );
  try {
    await runGenerator({
      brokers,
      seed,
      runId,
      rate: RATE,
      transactions,
      accounts: 1000,
      signal,
      onSend: (item, dueAtMs) => {
        if (item.kind === "transaction") stats.onSent(item.message.transactionId, dueAtMs, Date.now());
      },
    });
    await poll("the warm-up's decisions", () => stats.waiting === 0, { timeoutMs: LIMIT_MS, signal });
  } finally {
    clearInterval(timer);
    await reader.stop();
  }
}
