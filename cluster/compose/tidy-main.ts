import { setTimeout as delay } from "node:timers/promises";

import { eventText } from "../event-text.js";
import type { ClusterSettings } from "../settings.js";
import { endAbandonedTransactions } from "../state/abandoned-transactions.js";
import { removeLeftovers } from "../state/leftovers.js";
import { readStateRecord, type StateRecord, writeStateRecord } from "../state/state-record.js";
import { tellMaster } from "./job-start.js";
import { runService, settingsInContainers } from "./service.js";

/** A master may be started again without this service, with other transactional ids. */
const EVERY_MS = 300_000;

/**
 * The service "tidy": does in containers what the native cluster's supervisor does after each start, once the job has
 * completed checkpoints: aborts transactions that nobody ends, and removes what earlier generations of the job have
 * left. It listens to nobody. Whatever fails is tried again.
 */
async function main(): Promise<void> {
  const end = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => end.abort());
  const settings = settingsInContainers("tidy", ["kafka", "minio", "flink"]);
  console.log(
    `every ${EVERY_MS / 60_000} min: aborts transactions that nobody ends, and removes what earlier generations of the job have left`,
  );
  while (!end.signal.aborted) {
    await Promise.all([
      endAbandonedTransactions(
        settings,
        ({ transactionalId, startedAtMs }) =>
          console.log(eventText({ kind: "aborted", part: "kafka", transactionalId, startedAtMs }, 0)),
        end.signal,
      ),
      tidyStore(settings, end.signal),
    ]);
    await delay(EVERY_MS, undefined, { signal: end.signal }).catch(() => undefined);
  }
}

async function tidyStore(settings: ClusterSettings, signal: AbortSignal): Promise<void> {
  try {
    // What the job began from stays, for this time.
    const began = await readStateRecord(settings);
    const removed = await removeLeftovers(
      { ...settings, savepoint: began?.savepoint },
      { signal, whenSettled: () => leaveSavepoint(settings, began) },
    );
    if (removed > 0) console.log(`minio: removed ${removed} objects that earlier generations of the job had left`);
  } catch (error) {
    if (!signal.aborted)
      console.log(`minio: nothing is removed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Once the job has its own checkpoint, it must not begin once more where it had begun. */
async function leaveSavepoint(settings: ClusterSettings, began: StateRecord | undefined): Promise<void> {
  const record = await readStateRecord(settings);
  if (record?.savepoint === undefined || record.generation !== began?.generation) return;
  const { savepoint: _, ...left } = record;
  await writeStateRecord(settings, left);
  tellMaster(left);
}

await runService(main);
