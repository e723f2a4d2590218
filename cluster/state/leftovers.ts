import { poll } from "../../process/poll.js";
import { flinkClient } from "../flink-client.js";
import type { ClusterSettings } from "../settings.js";
import { leftoversOf, removeObjects } from "./object-store.js";

const CHECKPOINT_LIMIT_MS = 300_000;

/**
 * Once the job has its own checkpoint, removes what generations before have left in the object store: checkpoints, and
 * savepoints that commands took. What the job began from itself (`settings.savepoint`) stays as long as it runs.
 *
 * @param whenSettled - called once it has its own checkpoint, before anything is removed
 * @returns how many objects were removed
 * @throws when the job completes no checkpoint, or the store does not answer
 */
export async function removeLeftovers(
  settings: ClusterSettings,
  { whenSettled, signal }: { readonly whenSettled?: () => Promise<void>; readonly signal?: AbortSignal } = {},
): Promise<number> {
  const flink = flinkClient(settings);
  const jobId = await flink.jobId();
  // As of now: what comes later is not left over.
  const leftovers = jobId === "unreachable" ? [] : await leftoversOf(settings, jobId, settings.savepoint);
  if (settings.savepoint === undefined && leftovers.length === 0) return 0;
  // When the second is complete, ZooKeeper has heard of the first.
  await poll("the first checkpoints since the savepoint", async () => Number(await flink.completedCheckpoints()) >= 2, {
    timeoutMs: CHECKPOINT_LIMIT_MS,
    signal,
  });
  await whenSettled?.();
  await removeObjects(settings, leftovers);
  return leftovers.length;
}
