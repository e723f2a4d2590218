import { isSame, type OpenTransaction } from "../../kafka/transactions.js";

/**
 * So many checkpoints must complete while a transaction stays open. The job commits with each what it had open before
 * it, so what outlives one of them is not the job's; the others leave it time to hear of that.
 */
const CHECKPOINTS = 5;

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
