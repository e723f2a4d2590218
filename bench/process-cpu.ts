import { readdirSync, readFileSync } from "node:fs";

/** Linux counts in these. */
const TICKS_PER_SECOND = 100;

/**
 * Processor time that a process has used so far, its threads' and its children's included, in seconds: a function
 * server works in a child. Linux only.
 */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name before them may have spaces. User and system time, then those of children that have ended.
  const ticks = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 15)
    .reduce((sum, field) => sum + Number(field), 0);
  return ticks / TICKS_PER_SECOND + children(pid).reduce((sum, child) => sum + ofChild(child), 0);
}

/** A child may end meanwhile: then its parent has its time. */
function ofChild(pid: number): number {
  try {
    return cpuSeconds(pid);
  } catch {
    return 0;
  }
}

/** Each thread has started its own. */
function children(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    try {
      return readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
    } catch {
      return [];
    }
  });
}
