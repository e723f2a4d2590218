import { STATE_BACKENDS, type StateBackend } from "../../flink/flink.js";
import { UserError } from "../../terminal/user-error.js";
import { type ClusterSettings, FIRST_GENERATION } from "../settings.js";
import { readObject, writeObject } from "./object-store.js";

/** It is kept beside the checkpoints that it describes, so that both are lost or copied together. */
const KEY = "state-record.json";

/** What is recorded of the job's state. */
export interface StateRecord {
  /** The backend: checkpoints do not restore on another. */
  readonly stateBackend: StateBackend;
  /**
   * Counts the job's restarts from a savepoint. Each generation has its own place in ZooKeeper, so no job can ever go
   * on from what is left there of the one before, perhaps old checkpoints.
   */
  readonly generation: number;
  /**
   * The parallelism of the job as Flink keeps it for this generation, whatever its settings say. Absent before the job
   * has run, and in records of earlier versions.
   */
  readonly parallelism?: number;
  /** The `host:port` at which the job reads and writes Kafka: kept by Flink and recorded here like its parallelism. */
  readonly kafka?: string;
  /** Where the generation begins. Forgotten once it has its own checkpoint. */
  readonly savepoint?: string;
  /** A restart from a savepoint has begun: if there is one in this folder, the next generation follows from it. */
  readonly next?: { readonly stateBackend: StateBackend; readonly parallelism?: number; readonly folder: string };
}

/** For state that no restart from a savepoint has touched. */
export const firstRecord = (stateBackend: StateBackend): StateRecord => ({
  stateBackend,
  generation: FIRST_GENERATION,
});

/** @throws {UserError} when the record cannot be understood */
export async function readStateRecord(settings: ClusterSettings): Promise<StateRecord | undefined> {
  const text = await readObject(settings, KEY);
  return text === undefined ? undefined : parseStateRecord(text);
}

export const writeStateRecord = (settings: ClusterSettings, record: StateRecord): Promise<void> =>
  writeObject(settings, KEY, `${JSON.stringify(record)}\n`);

/** @throws {UserError} when the text is not a record: guessing might decide everything again */
export function parseStateRecord(text: string): StateRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (!isRecord(value))
    throw new UserError(
      `${KEY} in the object store is none that this version has written: ${text.trim().slice(0, 200)}`,
    );
  return value;
}

function isRecord(value: unknown): value is StateRecord {
  if (typeof value !== "object" || value === null) return false;
  const { stateBackend, generation, parallelism, kafka, savepoint, next } = value as Record<string, unknown>;
  const place = (one: unknown): boolean => typeof one === "string" && one.startsWith("s3://");
  const isParallelism = (one: unknown): boolean => one === undefined || (Number.isSafeInteger(one) && Number(one) > 0);
  const isNext = (one: unknown): boolean => {
    if (typeof one !== "object" || one === null) return false;
    const { stateBackend, parallelism, folder } = one as Record<string, unknown>;
    return isBackend(stateBackend) && isParallelism(parallelism) && place(folder);
  };
  return (
    isBackend(stateBackend) &&
    isParallelism(parallelism) &&
    (kafka === undefined || typeof kafka === "string") &&
    Number.isSafeInteger(generation) &&
    Number(generation) >= FIRST_GENERATION &&
    (savepoint === undefined || place(savepoint)) &&
    (next === undefined || isNext(next))
  );
}

const isBackend = (value: unknown): value is StateBackend => STATE_BACKENDS.some((name) => name === value);

/**
 * The outcome of a restart that had begun. Ask while no JobManager runs: only a JobManager writes a savepoint, and a
 * job that went on after its savepoint must not be set back to it.
 *
 * @param savepoint - the savepoint in the restart's folder
 */
export function afterRestart({ next, ...record }: StateRecord, savepoint: string | undefined): StateRecord {
  if (next === undefined || savepoint === undefined) return record;
  return {
    stateBackend: next.stateBackend,
    generation: record.generation + 1,
    ...(next.parallelism !== undefined && { parallelism: next.parallelism }),
    ...(record.kafka !== undefined && { kafka: record.kafka }),
    savepoint,
  };
}
