import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";

import { procStat, psSeconds } from "./proc-stat.js";

/** What the processes of a group do at a moment: those of a cluster's part, whose number is the part's process id. */
export interface ProcessActivity {
  /** Processor time so far, of all of them. */
  readonly cpuSeconds: number;
  /** Whether a thread runs, or waits for a processor or for a disk: it gets on by itself, however slowly. */
  readonly working: boolean;
  /** Whether one of them was stopped by a signal: it does not get on until somebody lets it. */
  readonly stopped: boolean;
}

/** What a group's processes do; `undefined` when there are none. */
export function activityOf(group: number): ProcessActivity | undefined {
  const processes = process.platform === "linux" ? ofProc(group) : ofPs(group);
  if (processes.length === 0) return undefined;
  const states = processes.flatMap(({ states }) => states);
  return {
    cpuSeconds: processes.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    working: states.some((state) => "RDU".includes(state)),
    stopped: states.includes("T"),
  };
}

interface OneProcess {
  readonly cpuSeconds: number;
  /** A letter for each thread, as the system has it; where it tells none of threads, one for the process. */
  readonly states: readonly string[];
}

function ofProc(group: number): OneProcess[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const { state, group: its, cpuSeconds } = procStat(`/proc/${name}`);
      // What is left of one that has ended does nothing.
      if (its !== group || "ZX".includes(state)) return [];
      return [{ cpuSeconds, states: threadsOf(name) }];
    } catch {
      return [];
    }
  });
}

function threadsOf(pid: string): string[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    try {
      return [procStat(`/proc/${pid}/task/${thread}`).state];
    } catch {
      return [];
    }
  });
}

function ofPs(group: number): OneProcess[] {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pgid=,state=,time="], { encoding: "utf8" });
  return stdout.split("\n").flatMap((line) => {
    const [pgid, state, time] = line.trim().split(/\s+/);
    if (state === undefined || time === undefined || Number(pgid) !== group || state.startsWith("Z")) return [];
    return [{ cpuSeconds: psSeconds(time), states: [state[0]!] }];
  });
}
