import type { AccountState, RecordedVerdict } from "../../protos/gen/fraud/v1/internal.js";
import { type FraudLabel, Verdict } from "../../protos/gen/fraud/v1/transaction.js";

/** What a label changed: one confirmed fraud more, one taken back, or neither. */
export interface VerdictChange {
  readonly delta: 1 | 0 | -1;
  /** Where, and from when on, the fraud counts (or counted) that was added or taken back. */
  readonly merchantId: string;
  readonly effectiveAtMs: bigint;
}

/**
 * Records a label; `undefined` when a verdict of the same or a higher revision holds already.
 *
 * A verdict that stays "fraud" keeps its merchant and effective time: what was counted stays counted where it is.
 * Beyond `maxVerdicts` the one with the earliest effective time is forgotten. Changes `state`.
 */
export function recordVerdict(state: AccountState, label: FraudLabel, maxVerdicts: number): VerdictChange | undefined {
  const known = state.verdicts.find((verdict) => verdict.transactionId === label.transactionId);
  if (known !== undefined && label.revision <= known.revision) return undefined;
  const wasFraud = known?.verdict === Verdict.FRAUD;
  const isFraud = label.verdict === Verdict.FRAUD;
  const counted = wasFraud ? { merchantId: known.merchantId, effectiveAtMs: known.effectiveAtMs } : { merchantId: label.merchantId, effectiveAtMs: label.effectiveAtMs };

  const recorded: RecordedVerdict = {
    transactionId: label.transactionId,
    revision: label.revision,
    verdict: label.verdict,
    ...(wasFraud && isFraud ? counted : { merchantId: label.merchantId, effectiveAtMs: label.effectiveAtMs }),
  };
  if (known === undefined) state.verdicts.push(recorded);
  else state.verdicts[state.verdicts.indexOf(known)] = recorded;
  if (state.verdicts.length > maxVerdicts) forgetEarliest(state.verdicts);

  const delta = isFraud === wasFraud ? 0 : isFraud ? 1 : -1;
  return { delta, ...counted };
}

/** Removes every verdict effective at or before `cutoffMs`; returns how many. Changes `state`. */
export function expireVerdicts(state: AccountState, cutoffMs: bigint): number {
  const before = state.verdicts.length;
  state.verdicts = state.verdicts.filter(({ effectiveAtMs }) => effectiveAtMs > cutoffMs);
  return before - state.verdicts.length;
}

/** Of several equally early ones the first recorded goes. */
function forgetEarliest(verdicts: RecordedVerdict[]): void {
  let earliest = 0;
  verdicts.forEach((verdict, at) => {
    if (verdict.effectiveAtMs < verdicts[earliest]!.effectiveAtMs) earliest = at;
  });
  verdicts.splice(earliest, 1);
}
