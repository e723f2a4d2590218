import type { RunningCluster } from "../../cluster/index.js";
import type { OwnClock } from "../../tools/index.js";

/** What faults act on. */
export interface Target {
  readonly cluster: RunningCluster;
  /** A folder for files that control the servers. */
  readonly folder: string;
  /** The broker's, where it has one of its own. */
  readonly clock?: OwnClock | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The size of an overload. */
export interface OverloadOptions {
  /** How long twice the sustained rate is offered. */
  readonly overloadSeconds: number;
  /** Transactions per second that the cluster holds; measured by default. */
  readonly sustained?: number | undefined;
  /** Whether other programs use half of the processors meanwhile. */
  readonly busy: boolean;
  /** Transactions that wait when the job starts cold. */
  readonly backlog: number;
  /** A drain is given up after this long. */
  readonly drainSeconds: number;
}

/** What a fault with its own load needs from the run. */
export interface LoadedTarget extends Target {
  readonly runId: string;
  /** The beginning of the load, in ms since 1970. */
  readonly startedAtMs: number;
  /** The rate over HTTP meanwhile, in transactions per second. */
  readonly rate: number;
  readonly overload: OverloadOptions;
  readonly say: (line: string) => void;
}
