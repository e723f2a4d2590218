import type { Machine } from "../../terminal/json-report.js";
import type { PartTimes } from "../part-times.js";

/** Processor time that a part takes, in ms a second: 1000 are one core. */
export interface PartRate {
  readonly part: string;
  readonly msPerSecond: number;
}

/** `reports/bench-rest.json`. Field names are stable. */
export interface RestReport {
  readonly machine: Machine;
  /** How long was measured, in s. */
  readonly seconds: number;
  /** After its start, in s. */
  readonly sinceStart: number;
  /** What takes most comes first. `supervisor` watches over the others. */
  readonly parts: readonly PartRate[];
  /** In ms a second. */
  readonly total: number;
  /** What else the machine did meanwhile: figures beside much of it are rough. */
  readonly load: {
    /** Of the last minute, by the system, the cluster's own included; before and after. */
    readonly average: readonly [number, number];
    /** Processor time of all but the cluster, in ms a second. */
    readonly othersMsPerSecond: number;
  };
}

/**
 * What each part has used from one look to the next.
 *
 * @throws Error when one began anew, or is gone: it was not at rest
 */
export function ratesOf(before: PartTimes, after: PartTimes, seconds: number): PartRate[] {
  return [...before]
    .map(([part, then]) => {
      const used = (after.get(part) ?? 0) - then;
      if (used < 0) throw new Error(`${part} ended or began anew meanwhile`);
      return { part, msPerSecond: Math.round((used * 10_000) / seconds) / 10 };
    })
    .sort((a, b) => b.msPerSecond - a.msPerSecond);
}

/** Of all of them. */
export const totalOf = (parts: readonly PartRate[]): number =>
  Math.round(parts.reduce((sum, { msPerSecond }) => sum + msPerSecond, 0) * 10) / 10;

/** For people. */
export function restTable({ parts, total, seconds, load }: RestReport): string {
  const rows = [...parts, { part: "in all", msPerSecond: total }];
  const width = Math.max(...rows.map(({ part }) => part.length));
  return [
    `ms of processor time a second, over ${seconds} s with nothing sent`,
    ...rows.map(({ part, msPerSecond }) => `  ${part.padEnd(width)}  ${msPerSecond.toFixed(1).padStart(7)}`),
    `  the rest of the machine: ${load.othersMsPerSecond.toFixed(0)}; load average ${load.average.map((one) => one.toFixed(2)).join(" before, ")} after`,
    "",
  ].join("\n");
}
