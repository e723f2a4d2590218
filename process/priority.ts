import { constants, getPriority, setPriority } from "node:os";

const { PRIORITY_HIGH, PRIORITY_NORMAL } = constants.priority;

/**
 * Puts this process before others of this machine, where the system lets it (root): who loads and measures a cluster
 * beside programs that leave it no processor would otherwise load it with less than it says, and look away for seconds.
 *
 * @returns puts it back
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
 * Puts this process behind others of this machine. Where it is behind them already, further than that, it stays: only
 * root may come forward.
 *
 * @param niceness - above 0
 */
export function behindOthers(niceness: number): void {
  if (getPriority() >= niceness) return;
  try {
    setPriority(niceness);
  } catch {
    // A system that forbids even this one runs it as well.
  }
}

/**
 * Puts a process that this one has just started among all others: a part of the cluster that is started again gets no
 * better for it.
 */
export function amongOthers(pid: number): void {
  if (getPriority() >= PRIORITY_NORMAL) return;
  try {
    setPriority(pid, PRIORITY_NORMAL);
  } catch {
    // It has ended already.
  }
}
