import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { startK6 } from "../../tools/index.js";
import { type Run, spanMs } from "../k6/traffic.ts";
import { newLines } from "./new-lines.js";

const DAY_MS = 24 * 3_600_000;
/** Transactions in one request. */
const BATCH = 25;
/** k6's exit code after an interruption, whatever became of its thresholds. */
const INTERRUPTED = 105;
/** k6's exit code when not all thresholds held. */
const THRESHOLDS_FAILED = 99;
const SCRIPT = join(REPOSITORY_ROOT, "loadtest/k6/transactions.ts");

/**
 * A stretch of a load: a number of transactions per second for some seconds; reached gradually from the stretch before,
 * or at once.
 */
export interface Stage {
  readonly rate: number;
  readonly seconds: number;
  readonly ramp: boolean;
}

export interface LoadOptions {
  readonly runId: string;
  readonly stages: readonly Stage[];
  readonly accounts: number;
  readonly merchants: number;
  /** Whether transactions are sent again until they are acknowledged: where faults are expected. */
  readonly untilAcknowledged: boolean;
  readonly committedP99Ms?: number;
  /** Whether the door may turn transactions away for longer than k6 can hold what arrives meanwhile. */
  readonly turnedAway?: boolean;
}

/** A batch that the intake has acknowledged. */
export interface Acknowledged {
  /** The number of its first transaction. */
  readonly first: number;
  readonly count: number;
  /** When it was first sent, and when it was acknowledged, in ms since 1970. */
  readonly sentAtMs: number;
  readonly acknowledgedAtMs: number;
}

/** The most transactions that a load has: it sizes what is kept for each. */
export const atMost = (stages: readonly Stage[]): number =>
  Math.ceil(
    stages.reduce((sum, { rate, seconds }, n) => sum + Math.max(rate, stages[n - 1]?.rate ?? 0) * seconds, 0) * 1.1,
  ) +
  10 * BATCH;

/** A running k6. */
export interface K6Load {
  /** Its exit code: 0 when every threshold held. */
  readonly finished: Promise<number>;
  /** What has been acknowledged so far. Always the same list, which grows. */
  acknowledged(): readonly Acknowledged[];
  stop(): void;
  /**
   * Ends the load before its last stage does, in order: nothing more is sent, the judgement is asked for, every
   * threshold counts.
   */
  end(): void;
}

/** Starts k6 with this load. @param endpoints - of the intake, and of the verifier that it asks in the end */
export function startLoad(
  options: LoadOptions,
  { intake, verifier }: { readonly intake: string; readonly verifier: string },
  onOutput: (text: string) => void,
): K6Load {
  const folder = mkdtempSync(join(tmpdir(), "fraud-k6-"));
  const log = join(folder, "acknowledged.log");
  const run: Run = {
    runId: options.runId,
    accounts: options.accounts,
    merchants: options.merchants,
    startMs: Date.now() - DAY_MS - spanMs(atMost(options.stages), options.accounts),
  };
  const highest = Math.max(...options.stages.map(({ rate }) => rate));
  const plan = {
    intake,
    verifier,
    run,
    batch: BATCH,
    stages: options.stages,
    // Where faults are expected, enough for half a minute in which nothing is acknowledged.
    maxRequests: Math.ceil((highest / BATCH) * (options.untilAcknowledged ? 35 : 10)) + 20,
    untilAcknowledged: options.untilAcknowledged,
    turnedAway: options.turnedAway === true,
    ...(options.committedP99Ms !== undefined && { limits: { committedP99Ms: options.committedP99Ms } }),
  };
  const summary = join(folder, "summary.json");
  writeFileSync(join(folder, "plan.json"), JSON.stringify(plan));
  writeFileSync(log, "");
  const { finished, kill } = startK6(
    [
      "run",
      "--quiet",
      "--log-format",
      "raw",
      "--console-output",
      log,
      "--summary-export",
      summary,
      "-e",
      `PLAN=${join(folder, "plan.json")}`,
      SCRIPT,
    ],
    onOutput,
  );
  let ended = false;
  const acknowledged: Acknowledged[] = [];
  const lines = newLines(log);
  const readOn = (): void => {
    for (const line of lines()) {
      const [, first, count, sentAtMs, acknowledgedAtMs] = /ack (\d+) (\d+) (\d+) (\d+)/.exec(line) ?? [];
      if (first !== undefined)
        acknowledged.push({
          first: Number(first),
          count: Number(count),
          sentAtMs: Number(sentAtMs),
          acknowledgedAtMs: Number(acknowledgedAtMs),
        });
    }
  };
  let isOver = false;
  return {
    finished: finished
      .then((code) => (ended && code === INTERRUPTED ? exitCodeOf(readFileSync(summary, "utf8")) : code))
      .finally(() => {
        // Calls from now on ask for all of it.
        readOn();
        isOver = true;
        rmSync(folder, { recursive: true, force: true });
      }),
    acknowledged: () => {
      if (!isOver) readOn();
      return acknowledged;
    },
    stop: () => kill("SIGINT"),
    end: () => {
      ended = true;
      kill("SIGINT");
    },
  };
}

/**
 * The exit code with which k6 would have ended by itself.
 *
 * @param summary - its export, in which a threshold that did not hold is `true`
 */
export function exitCodeOf(summary: string): number {
  const { metrics } = JSON.parse(summary) as {
    readonly metrics: Readonly<Record<string, { readonly thresholds?: Readonly<Record<string, boolean>> }>>;
  };
  return Object.values(metrics).some(({ thresholds = {} }) => Object.values(thresholds).includes(true))
    ? THRESHOLDS_FAILED
    : 0;
}
