import { readdirSync, readFileSync, readlinkSync } from "node:fs";

import { tcpSockets } from "../../process/process-usage.js";

const LISTEN = "0A";
/** 127.0.0.0/8 and ::1, as Linux writes them: words with their bytes reversed. */
const LOOPBACK = /^(?:(?:0{16}FFFF0{4})?[\dA-F]{6}7F|0{24}01000000)$/;

/** A socket where a process waits for TCP connections. */
export interface Listener {
  readonly port: number;
  readonly loopback: boolean;
}

/**
 * All such sockets of a process and of everything that it has started, and so on: a cluster's parts, its Prometheus, a
 * browser, k6. On Linux.
 */
export function listenersBelow(root: number): readonly Listener[] {
  const sockets = new Set(processTree(root).flatMap(socketsOf));
  return tcpSockets()
    .filter(({ state, inode }) => state === LISTEN && sockets.has(inode))
    .map(listenerOf);
}

/** A process and its descendants, in whatever group or session they are. */
function processTree(root: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const parent = /^\d+$/.test(name) ? parentOf(Number(name)) : undefined;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const below = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(below)];
  return below(root);
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  } catch {
    // It has ended.
    return undefined;
  }
}

/** All of the network that a process is in, such as a container's. */
export const networkListeners = (pid: number): readonly Listener[] =>
  tcpSockets(pid)
    .filter(({ state }) => state === LISTEN)
    .map(listenerOf);

function listenerOf({ local }: { readonly local: string }): Listener {
  const [address, port] = local.split(":");
  return { port: Number.parseInt(port!, 16), loopback: LOOPBACK.test(address!) };
}

function socketsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        // Closed in the meantime.
        return [];
      }
    });
  } catch {
    // It has ended.
    return [];
  }
}
