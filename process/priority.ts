import { writeFileSync } from "node:fs";
import { constants, getPriority, setPriority } from "node:os";

const { PRIORITY_HIGH, PRIORITY_NORMAL } = constants.priority;

/**
 * Puts this process ahead of others on this machine, where the system allows it (root): beside programs that leave no
 * processor free, a process that loads and measures a cluster would otherwise send less than it claims, and miss
 * seconds of what happens.
 *
 * @returns a function that puts it back
 */
export function aheadOfOthers(): () => void {
  const before = getPriority();
  try {
    setPriority(PRIORITY_HIGH);
  } catch {
    return () => undefined;
  }
  return () => {
    try {
      setPriority(before);
    } catch {
      // It may have lost root's rights since: it goes on as it is.
    }
  };
}

/**
 * Puts the whole session of this process ahead of others, with all that runs in it: where Linux groups processes by
 * session, the place of one counts only within its own.
 *
 * @see {@link aheadOfOthers}
 */
export function sessionAheadOfOthers(): void {
  try {
    writeFileSync("/proc/self/autogroup", "-20");
  } catch {
    // Another system, or no rights for it.
  }
}

/**
 * Puts this process behind others on this machine. If it is already further behind, it stays there: only root may come
 * forward.
 *
 * @param niceness - above 0
 */
export function behindOthers(niceness: number): void {
  if (getPriority() >= niceness) return;
  try {
    setPriority(niceness);
  } catch {
    // On a system that forbids even this, it runs as it is.
  }
}

/**
 * Puts a process that this one has just started on a level with all others: a part of the cluster that is started again
 * must not gain by it.
 */
export function amongOthers(pid: number): void {
  if (getPriority() >= PRIORITY_NORMAL) return;
  try {
    setPriority(pid, PRIORITY_NORMAL);
  } catch {
    // It has ended already.
  }
}
