import { readdirSync, readlinkSync } from "node:fs";

import { tcpSockets } from "../../process/process-usage.js";
import { processTree } from "../process-tree.js";

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
