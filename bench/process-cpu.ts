import { readFileSync } from "node:fs";

/** Linux counts in these. */
const TICKS_PER_SECOND = 100;

/** Processor time that a process has used so far, its threads' included, in seconds. Linux only. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
