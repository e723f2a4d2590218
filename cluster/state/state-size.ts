import type { StateBackend } from "../../flink/flink.js";

/**
 * The size of a checkpoint beyond which state belongs in RocksDB: the heap backend writes all of it with each one.
 * Between 5 MB, where the heap holds 1.7 times the load, and 77 MB, where RocksDB does, nothing was measured: this is
 * the middle, as ratios go.
 */
export const HEAP_CHECKPOINT_BYTES = 20_000_000;

/**
 * What to do about a state of this size; `undefined` when nothing.
 *
 * @param bytes - of the newest checkpoint, when no backlog waits
 */
export function sizeAdvice(backend: StateBackend, bytes: number, name: string): string | undefined {
  if (backend !== "hashmap" || bytes <= HEAP_CHECKPOINT_BYTES) return undefined;
  return `Checkpoints of more than ${megabytes(HEAP_CHECKPOINT_BYTES)} are what RocksDB is for. Unless this is a backlog that passes: npm run cluster -- convert rocksdb --name ${name}`;
}

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 9_950_000 ? 1 : 0)} MB`;
