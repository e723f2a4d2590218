import { abortTransaction, isSame, type OpenTransaction, openTransactions } from "../../kafka/transactions.js";
import { endpoints } from "../endpoints.js";
import { flinkClient } from "../flink-client.js";
import type { ClusterSettings } from "../settings.js";

/**
 * So many checkpoints must complete while a transaction stays open. The job commits with each what it had open before
 * it, so what outlives one of them is not the job's; the others leave it time to hear of that.
 */
const CHECKPOINTS = 5;
const CHECKPOINT_LIMIT_MS = 300_000;

/** What {@link abandonedTransactions} asks. */
export interface Asked {
  /** The transactions that are open now. */
  readonly open: () => Promise<readonly OpenTransaction[]>;
  /** Resolves when so many more of the job's checkpoints are complete. */
  readonly checkpoints: (more: number) => Promise<void>;
}

/**
 * Transactions on these topics that nobody will end: those of a job that has gone, with other transactional ids than
 * the one that runs, or of another program. Until the broker gives them up, committed readers wait at them. Whatever
 * clocks say does not matter, so none of the job's own is among them.
 */
export async function abandonedTransactions(
  topics: readonly string[],
  { open, checkpoints }: Asked,
): Promise<OpenTransaction[]> {
  const before = (await open()).filter((one) => one.topics.some((topic) => topics.includes(topic)));
  if (before.length === 0) return [];
  await checkpoints(CHECKPOINTS);
  const after = await open();
  return before.filter((one) => after.some((other) => isSame(one, other)));
}

/**
 * Aborts transactions on the output topics that nobody will end, once the job has completed checkpoints: what is ready
 * to be committed is committed by then. Never fails, as without a broker or a checkpoint: whoever asks tries again.
 *
 * @param onAborted - hears of each
 */
export async function endAbandonedTransactions(
  settings: ClusterSettings,
  onAborted: (one: OpenTransaction) => void,
  signal?: AbortSignal,
): Promise<void> {
  try {
    const brokers = endpoints(settings).kafka;
    const abandoned = await abandonedTransactions(
      settings.application.outputTopics.map(({ name }) => name),
      {
        open: () => openTransactions(brokers),
        checkpoints: (more) => flinkClient(settings).waitForCheckpoints(more, CHECKPOINT_LIMIT_MS, signal),
      },
    );
    for (const one of abandoned) {
      await abortTransaction(brokers, one);
      onAborted(one);
    }
  } catch {
    // No broker, or no checkpoint.
  }
}
