import type { MerchantPast } from "../../protos/gen/fraud/v1/internal.js";
import { NEVER_S, UNUSUAL_PERMILLE } from "../learned/known.js";

/** A merchant's last known genuine transaction, and the known frauds since then. Times in ms. */
export interface KnownPast {
  /** `undefined`: there is none. */
  lastGenuine: number | undefined;
  run: Run | undefined;
}

/** Known frauds without a known genuine transaction among them. */
export interface Run {
  count: number;
  /** Event time of the first. */
  first: number;
  /** Those whose amount is not unusual for its account: it does not explain them, so the merchant may. */
  unexplained: number;
  leastRatio: number;
}

/** A transaction that was genuine ends the run, unless it was before all of it. Changes `past`. */
export function learnGenuine(past: KnownPast, time: number): void {
  past.lastGenuine = Math.max(past.lastGenuine ?? 0, time);
  if (past.run !== undefined && time >= past.run.first) past.run = undefined;
}

/** A fraud begins a run or goes on with it, unless it was before the last genuine transaction. Changes `past`. */
export function learnFraud(past: KnownPast, time: number, ratioPermille: number): void {
  if (past.lastGenuine !== undefined && time < past.lastGenuine) return;
  const run = (past.run ??= { count: 0, first: time, unexplained: 0, leastRatio: Number(NEVER_S) });
  run.count++;
  run.first = Math.min(run.first, time);
  if (ratioPermille < UNUSUAL_PERMILLE) run.unexplained++;
  run.leastRatio = Math.min(run.leastRatio, ratioPermille);
}

/** What is kept of transactions that are no longer kept one by one. */
export function readKnownPast({ lastGenuineMs, run }: MerchantPast): KnownPast {
  return {
    lastGenuine: lastGenuineMs === 0n ? undefined : Number(lastGenuineMs),
    run: run && {
      count: run.count,
      first: Number(run.firstMs),
      unexplained: run.unexplained,
      leastRatio: Number(run.leastRatioPermille),
    },
  };
}

/** The reverse of {@link readKnownPast}. Changes `past`. */
export function writeKnownPast(past: MerchantPast, { lastGenuine, run }: KnownPast): void {
  past.lastGenuineMs = BigInt(lastGenuine ?? 0);
  past.run = run && {
    count: run.count,
    firstMs: BigInt(run.first),
    unexplained: run.unexplained,
    leastRatioPermille: BigInt(run.leastRatio),
  };
}
