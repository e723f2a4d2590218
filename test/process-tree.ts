import { readdirSync, readFileSync } from "node:fs";

import { identify, isAlive } from "../process/process-identity.js";
import { poll } from "../process/poll.js";
import { PATIENCE_MS } from "./patience.js";

/** A process and its descendants, in whatever group or session they are. */
export function processTree(root: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const parent = /^\d+$/.test(name) ? parentOf(Number(name)) : undefined;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const below = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(below)];
  return below(root);
}

/** Who has started a process, or has inherited it; `undefined` when it has ended. */
export function parentOf(pid: number): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  } catch {
    // It has ended.
    return undefined;
  }
}

/**
 * Ends processes as a machine does that loses its power: all at the same moment, so that none sees another's end.
 *
 * @param pids - none of them in a group with a process that shall live
 */
export async function endAtOnce(pids: readonly number[]): Promise<void> {
  const all = pids.flatMap((pid) => identify(pid) ?? []);
  for (const signal of ["SIGSTOP", "SIGKILL"] as const)
    for (const { pid } of all) {
      try {
        process.kill(pid, signal);
      } catch {
        // It has ended by itself.
      }
    }
  await poll("every process to be gone", () => !all.some(isAlive), { timeoutMs: PATIENCE_MS });
}
