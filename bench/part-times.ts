import { recorded } from "../cluster/processes/managed-process.js";
import { type ClusterSettings, partsOf } from "../cluster/settings.js";
import { cpuSeconds } from "./process-cpu.js";

/** Processor time by part, in seconds. */
export type PartTimes = ReadonlyMap<string, number>;

/**
 * Processor time that each running part of a cluster has used so far. Linux only.
 *
 * @param more - other processes, by what they are called
 */
export function partTimes(settings: ClusterSettings, more: Readonly<Record<string, number>> = {}): Map<string, number> {
  const times = new Map<string, number>();
  for (const part of partsOf(settings)) {
    const process = recorded(settings, part);
    if (process !== undefined) times.set(part, cpuSeconds(process.pid));
  }
  for (const [name, pid] of Object.entries(more)) times.set(name, cpuSeconds(pid));
  return times;
}

/**
 * Microseconds of processor time for each of this many transactions, by part; of a part that began anew meanwhile,
 * since it did.
 */
export function microsEach(before: PartTimes, after: PartTimes, transactions: number): Record<string, number> {
  const used = (part: string, now: number): number =>
    now < (before.get(part) ?? 0) ? now : now - (before.get(part) ?? 0);
  return Object.fromEntries(
    [...after].map(([part, now]) => [part, Math.round((used(part, now) / Math.max(1, transactions)) * 1e6)]),
  );
}
