import { createReadStream, createWriteStream, renameSync, rmSync, statSync } from "node:fs";
import { appendFileSync, closeSync, ftruncateSync, openSync, readSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";

/** With as much before it and as much of the run before: less than 100 MB for a part. */
const LIMIT_BYTES = 30_000_000;
const LOOK_MS = 5_000;

/** Where what a log had before it was cut is. */
export const earlierLog = (log: string): string => `${log}.0`;

/** Keeps logs within bounds until the signal. */
export async function keepLogsBounded(logs: () => readonly string[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // A disk that is full, or a log that is gone: the next time.
    for (const log of logs()) await boundLog(log).catch(() => undefined);
    await delay(LOOK_MS, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

/**
 * Cuts a log that has become too long: its end goes to {@link earlierLog}, and it begins anew. Whoever writes it has it
 * open for appending, and goes on without knowing. What is written meanwhile is kept, but for the instant between the
 * last look and the cut: then a process that is held up there loses what others write.
 *
 * @returns whether it was too long
 */
export async function boundLog(log: string, limitBytes = LIMIT_BYTES): Promise<boolean> {
  const size = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= limitBytes) return false;
  const copy = `${earlierLog(log)}.new`;
  try {
    await pipeline(createReadStream(log, { start: size - limitBytes, end: size - 1 }), createWriteStream(copy));
    cut(log, copy, size);
  } catch (error) {
    // On a full disk, half a copy would keep what little room there is.
    rmSync(copy, { force: true });
    throw error;
  }
  renameSync(copy, earlierLog(log));
  return true;
}

/** Moves what a log has beyond the end of its copy there, and empties it. */
function cut(log: string, copy: string, size: number): void {
  const file = openSync(log, "r+");
  try {
    // From here on without a pause: what is written between the last read and the cut would be lost.
    const buffer = Buffer.alloc(1 << 20);
    let at = size;
    for (let read = 0; (read = readSync(file, buffer, 0, buffer.length, at)) > 0; at += read)
      appendFileSync(copy, buffer.subarray(0, read));
    ftruncateSync(file);
  } finally {
    closeSync(file);
  }
}
