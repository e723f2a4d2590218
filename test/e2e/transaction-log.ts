import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { kafkaData } from "../../cluster/parts/index.js";
import type { ClusterSettings } from "../../cluster/settings.js";
import { readBatches } from "../../kafka/record-batches.js";

/** By the number in the transaction log's records. */
const STATES = [
  "Empty",
  "Ongoing",
  "PrepareCommit",
  "PrepareAbort",
  "CompleteCommit",
  "CompleteAbort",
  "Dead",
  "PrepareEpochFence",
] as const;
export type TransactionState = (typeof STATES)[number];

/** Of a record's value: version, producer id, epoch and timeout are before it. */
const STATE_AT = 2 + 8 + 2 + 4;
/** Of a record's key: version and length are before it. */
const ID_AT = 2 + 2;

/** The newest state of every transactional id, as it stands in the files of a broker that may be dead. */
export async function transactionStates(settings: ClusterSettings): Promise<ReadonlyMap<string, TransactionState>> {
  const states = new Map<string, TransactionState>();
  for (const file of transactionLogs(settings)) {
    const bytes = readFileSync(file);
    for (let next = 0n; ;) {
      const records = await readBatches(bytes, next);
      if (records.length === 0) break;
      for (const { key, value } of records)
        if (key !== null && value !== null) states.set(key.toString("utf8", ID_AT), STATES[value.readInt8(STATE_AT)]!);
      next = BigInt(records.at(-1)!.offset) + 1n;
    }
  }
  return states;
}

/** The files in which the broker writes down each change of a transaction's state; one partition's in their order. */
export const transactionLogs = (settings: ClusterSettings): string[] =>
  readdirSync(kafkaData(settings))
    .filter((folder) => folder.startsWith("__transaction_state-"))
    .flatMap((folder) => {
      const path = join(kafkaData(settings), folder);
      return readdirSync(path)
        .filter((name) => name.endsWith(".log"))
        .sort()
        .map((name) => join(path, name));
    });

/** How large files are together. */
export const bytesIn = (files: readonly string[]): number => files.reduce((sum, file) => sum + statSync(file).size, 0);
