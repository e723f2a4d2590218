import type { StateBackend } from "../../flink/flink.js";
import type { RecentCheckpoints } from "./checkpoints.js";
import type { LatencyFigures } from "./hops.js";

/** What was seen at one rate. */
export interface Watched {
  readonly offered: number;
  readonly decidedPerSecond: number;
  readonly committedMs: { readonly p50: number; readonly p99: number };
  /** Transactions that were due and not decided, on average, and how many more there were a second. */
  readonly lag: number;
  readonly lagGrowth: number;
  /** So much was on its way that the rest of the time was not waited for. */
  readonly cutShort: boolean;
  /**
   * Microseconds of processor time a decided transaction, by part; `load` sends the transactions, `reader` reads the
   * decisions.
   */
  readonly cpuMicros: Readonly<Record<string, number>>;
}

/** How a backlog was worked off. */
export interface Drained {
  /** Over the middle four fifths. */
  readonly perSecond: number;
  /**
   * From Flink's start, cold, until every decision was committed; `undefined` when that was not waited for any longer.
   */
  readonly seconds: number | undefined;
  /** From Flink's start, cold, until the first decision was committed. */
  readonly firstSeconds: number | undefined;
  /** Transactions that waited, those of before included. */
  readonly waiting: number;
  readonly decided: number;
  readonly cpuMicros: Readonly<Record<string, number>>;
}

/** What Flink says of its job since it was started. */
export interface JobHealth {
  readonly restarts: number | "unreachable";
  readonly failedCheckpoints: number | "unreachable";
  readonly completedCheckpoints: number | "unreachable";
}

/** How it went on after its TaskManager was killed under load, in seconds; `null`: not within the limit. */
export interface Recovered {
  /** Until a transaction that was due after the kill had its committed decision. */
  readonly firstDecisionSeconds: number | null;
  /** Until no more was on its way than is usual at this rate. */
  readonly caughtUpSeconds: number | null;
}

/** Latencies at a rate, and what a transaction cost there. */
export interface Latency extends LatencyFigures {
  readonly perSecond: number;
  readonly cpuMicros: Readonly<Record<string, number>>;
}

/** What the pipeline keeps, at rest. */
export interface StateFigures {
  readonly backend: StateBackend | "unreachable";
  readonly checkpoints: RecentCheckpoints | null;
  /** Of the TaskManager's heap, what is not collected yet included. */
  readonly heapBytes: number | "unreachable";
  /** Resident memory by part. */
  readonly residentBytes: Readonly<Record<string, number>>;
}
