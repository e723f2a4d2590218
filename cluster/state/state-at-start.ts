import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { BASE_PORTS } from "../../contract/ports.js";
import { STATE_BACKENDS, type StateBackend } from "../../flink/flink.js";
import { UserError } from "../../terminal/user-error.js";
import { endpoints } from "../endpoints.js";
import type { ClusterSettings } from "../settings.js";
import { guardStores, startOverCommand, type StoresAtStart } from "./guard.js";
import { holdsCheckpoint, newestComplete, savepointIn } from "./object-store.js";
import { afterRestart, firstRecord, readStateRecord, type StateRecord, writeStateRecord } from "./state-record.js";

/** The arguments of {@link stateAtStart}. */
export interface StartingStores extends StoresAtStart {
  /**
   * What to suggest when the state is on another backend than the one asked for. Default: the native cluster's
   * commands.
   */
  readonly cure?: (is: StateBackend, asked: StateBackend) => string;
  /** Begin a new generation from the newest complete checkpoint or savepoint. */
  readonly fromLatest?: boolean;
  /**
   * All generations have one cluster id, as in containers: beside a savepoint that one begins from, the handles of
   * checkpoints may be those of the one before.
   */
  readonly oneClusterId?: boolean;
}

/**
 * Finds out from where the job goes on, and on which backend, and records this before Flink is started. Finishes a
 * restart from a savepoint that was cut short.
 *
 * @throws {UserError} when stores do not belong together, or the state is on another backend, or the job of another
 *   parallelism, than the one asked for, or the job looks for Kafka at other ports
 */
export async function stateAtStart(
  settings: ClusterSettings,
  { cure = nativeCure(settings), fromLatest = false, oneClusterId = false, ...stores }: StartingStores,
): Promise<StateRecord> {
  const written = await readStateRecord(settings);
  const ended =
    written?.next === undefined ? written : afterRestart(written, await savepointIn(settings, written.next.folder));
  const found = fromLatest ? await fromNewest(settings, ended, stores.cures?.startOver) : ended;
  const savepoint = found?.savepoint !== undefined;
  const checkpoint =
    !(oneClusterId && savepoint) &&
    (await holdsCheckpoint({
      ...settings,
      stateGeneration: (oneClusterId ? undefined : found?.generation) ?? settings.stateGeneration,
    }));
  // Nothing in ZooKeeper points to a savepoint.
  await guardStores(settings, checkpoint || savepoint, {
    ...stores,
    pointer: stores.pointer || (savepoint && !checkpoint),
  });
  const record = chosen(settings, found, { past: checkpoint || savepoint, earlier: earlierBackend(settings) });
  if (record === undefined) {
    const is = (found ?? firstRecord(earlierBackend(settings))).stateBackend;
    throw new UserError(
      `the state is on ${is}, and checkpoints do not restore on ${settings.stateBackend}. ${cure(is, settings.stateBackend)}`,
    );
  }
  // Flink goes on with the job as it has kept it: if Kafka is elsewhere now, the job would look for it forever; with
  // more slots than it needs some stay empty, with fewer it waits forever.
  if (record.kafka !== undefined && record.kafka !== endpoints(settings).kafka)
    throw new UserError(otherPorts(settings, record.kafka));
  if (settings.parallelismAsked && record.parallelism !== undefined && record.parallelism !== settings.parallelism)
    throw new UserError(otherParallelism(settings, record.parallelism));
  if (JSON.stringify(record) !== JSON.stringify(written)) await writeStateRecord(settings, record);
  return record;
}

/**
 * A new generation, which begins at the newest complete checkpoint: nothing that ZooKeeper and Flink know of the one
 * before applies to it. The JobManager's guard checks that this is the newest that was ever complete.
 *
 * @throws {UserError} when there is none
 */
async function fromNewest(
  settings: ClusterSettings,
  found: StateRecord | undefined,
  startOver = startOverCommand(settings),
): Promise<StateRecord> {
  const savepoint = await newestComplete(settings);
  if (savepoint === undefined)
    throw new UserError(`the object store holds no complete checkpoint to go on from. Start over with: ${startOver}`);
  const before = found ?? firstRecord(earlierBackend(settings));
  return { ...before, generation: before.generation + 1, savepoint };
}

/** What to say, and suggest, when the kept job has another parallelism than the one asked for. */
export const otherParallelism = (settings: ClusterSettings, kept: number): string =>
  `the job of these data has a parallelism of ${kept}, which Flink keeps, and not ${settings.parallelism}. Go on with it: npm run cluster -- up --parallelism ${kept} --name ${settings.name}; or change it: npm run cluster -- convert --parallelism ${settings.parallelism} --name ${settings.name}`;

/** The same when it expects Kafka at the ports of an earlier start. */
const otherPorts = (settings: ClusterSettings, kept: string): string =>
  `the job of these data has Kafka at ${kept}, which Flink keeps, and not at ${endpoints(settings).kafka}. Go on at the ports of then: --port-offset ${Number(kept.split(":").at(-1)) - BASE_PORTS.kafka}; or run another cluster, by another --name; or start over with: ${startOverCommand(settings)}`;

/**
 * The record to start with; `undefined` when another backend is asked for than the state is on. State without a past
 * may still choose its backend.
 *
 * @param found - the record that was found
 * @param earlier - the backend of a past without a record
 */
export function chosen(
  { stateBackend, stateBackendAsked }: Pick<ClusterSettings, "stateBackend" | "stateBackendAsked">,
  found: StateRecord | undefined,
  { past, earlier }: { readonly past: boolean; readonly earlier: StateBackend },
): StateRecord | undefined {
  const record = found ?? firstRecord(past ? earlier : stateBackend);
  if (!stateBackendAsked || record.stateBackend === stateBackend) return record;
  return past ? undefined : { ...record, stateBackend };
}

/**
 * Versions that recorded nothing ran on RocksDB unless they were told otherwise, which shows in the configuration that
 * they gave Flink.
 */
function earlierBackend({ dataDir }: ClusterSettings): StateBackend {
  const conf = join(dataDir, "conf/taskmanager/flink-conf.yaml");
  return (existsSync(conf) ? backendIn(readFileSync(conf, "utf8")) : undefined) ?? "rocksdb";
}

/** The backend that a `flink-conf.yaml` names. */
export function backendIn(flinkConf: string): StateBackend | undefined {
  const name = (parse(flinkConf) as Readonly<Record<string, unknown>> | null)?.["state.backend"];
  return STATE_BACKENDS.find((one) => one === name);
}

const nativeCure =
  ({ name }: ClusterSettings) =>
  (_: StateBackend, asked: StateBackend) =>
    `Go on without --state-backend; or change it: npm run cluster -- convert ${asked} --name ${name}`;
