import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

import { procStat, psSeconds } from "./proc-stat.js";

/** What a process uses. */
export interface ProcessUsage {
  readonly pid: number;
  /** Its process group: a cluster's part and its children share one, whose number is the part's process id. */
  readonly group: number;
  /** Resident memory, without pages of mapped files: those are the system's to take back. */
  readonly memoryBytes: number;
  /** Processor time so far, of all its threads. */
  readonly cpuSeconds: number;
}

/** What the wanted processes use, chosen by their id or group. Those that end meanwhile are left out. */
export function processUsage(wanted: (pid: number, group: number) => boolean): ProcessUsage[] {
  return process.platform === "linux" ? ofProc(wanted) : ofPs(wanted);
}

function ofProc(wanted: (pid: number, group: number) => boolean): ProcessUsage[] {
  return readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid)) return [];
    try {
      const { group, cpuSeconds } = procStat(`/proc/${pid}`);
      if (!wanted(pid, group)) return [];
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      const kilobytes = (field: string): number =>
        Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
      return [
        {
          pid,
          group,
          memoryBytes: (kilobytes("RssAnon") + kilobytes("RssShmem")) * 1024,
          cpuSeconds,
        },
      ];
    } catch {
      return [];
    }
  });
}

function ofPs(wanted: (pid: number, group: number) => boolean): ProcessUsage[] {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,pgid=,rss=,time="], { encoding: "utf8" });
  return stdout.split("\n").flatMap((line) => {
    const [pid, group, kilobytes, time] = line.trim().split(/\s+/);
    if (time === undefined || !wanted(Number(pid), Number(group))) return [];
    return [
      { pid: Number(pid), group: Number(group), memoryBytes: Number(kilobytes) * 1024, cpuSeconds: psSeconds(time) },
    ];
  });
}

/** A TCP socket as Linux writes it: addresses as `<hex>:<port in hex>`. */
export interface TcpSocket {
  readonly local: string;
  readonly remote: string;
  /** Such as `01`, established, and `0A`, listening. */
  readonly state: string;
  readonly inode: string;
}

/** All TCP sockets of this machine. Linux only. */
export const tcpSockets = (pid: number | "self" = "self"): TcpSocket[] =>
  // Java's sockets are in the second even when they speak IPv4.
  ["tcp", "tcp6"].flatMap((file) =>
    readFileSync(`/proc/${pid}/net/${file}`, "utf8")
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((line) => {
        const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/);
        return { local: local!, remote: remote!, state: state!, inode: inode! };
      }),
  );

/** TCP connections that are open from this machine to a port of it; `undefined` where the system does not say. */
export function connectionsTo(port: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return tcpSockets().filter(({ state, remote }) => state === ESTABLISHED && remote.endsWith(wanted)).length;
}

const ESTABLISHED = "01";
