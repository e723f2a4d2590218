import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

import { procStat } from "./proc-stat.js";

/** A process, safe against its id being given to another one after it ends, or after the machine is started again. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in units of the operating system; only ever compared. */
  readonly started: string;
}

/** Identifies a running process; `undefined` when there is none (or only a zombie) with this id. */
export function identify(pid: number): ProcessIdentity | undefined {
  const started = startTime(pid);
  return started === undefined ? undefined : { pid, started };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return startTime(identity.pid) === identity.started;
}

/** Signals that a process cannot hand on to its children. */
const UNHEARD: readonly NodeJS.Signals[] = ["SIGKILL", "SIGSTOP", "SIGCONT"];

/**
 * Signals a process if it is still the one identified; false when it is gone. A signal that it cannot catch goes to its
 * children too when it leads its own group, as every part does.
 */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  const send = (pid: number): boolean => {
    try {
      return process.kill(pid, signal);
    } catch {
      return false;
    }
  };
  return (UNHEARD.includes(signal) && send(-identity.pid)) || send(identity.pid);
}

function startTime(pid: number): string | undefined {
  if (process.platform !== "linux") {
    const { status, stdout } = spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
    return status === 0 && stdout.trim() !== "" ? stdout.trim() : undefined;
  }
  try {
    const { state, started } = procStat(`/proc/${pid}`);
    return state === "Z" || state === "X" || started === undefined ? undefined : `${started} ${bootId()}`;
  } catch {
    return undefined;
  }
}

let boot: string | undefined;

/**
 * Linux counts from its start: the processes of two starts may well have the same number at the same moment. Where it
 * does not say which start this is, none is told from another.
 */
function bootId(): string {
  try {
    boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    boot = "";
  }
  return boot;
}
