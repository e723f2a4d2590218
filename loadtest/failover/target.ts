import type { RunningCluster } from "../../cluster/index.js";

/** What faults act on. */
export interface Target {
  readonly cluster: RunningCluster;
  /** A folder for files that steer the servers. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
}

/** How much an overload is. */
export interface OverloadOptions {
  /** For how long twice the sustained rate is offered. */
  readonly overloadSeconds: number;
  /** Transactions a second that the cluster holds; default: it is measured. */
  readonly sustained?: number | undefined;
  /** Whether other programs have half of the processors meanwhile. */
  readonly busy: boolean;
  /** Transactions that wait when the job starts cold. */
  readonly backlog: number;
  /** A drain is given up after so long. */
  readonly drainSeconds: number;
}

/** What a fault that loads needs of the run. */
export interface LoadedTarget extends Target {
  readonly runId: string;
  /** The beginning of the load, in ms since 1970. */
  readonly startedAtMs: number;
  /** By HTTP meanwhile, transactions a second. */
  readonly rate: number;
  readonly overload: OverloadOptions;
  readonly say: (line: string) => void;
}
