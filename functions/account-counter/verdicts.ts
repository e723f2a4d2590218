import { sha256 } from "@noble/hashes/sha2.js";

import type { AccountState, RecordedVerdict } from "../../protos/gen/fraud/v1/internal.js";
import { FraudLabel, Verdict } from "../../protos/gen/fraud/v1/transaction.js";
import { maxTime } from "../integers.js";

/**
 * How far a label's revision may be beyond the one that holds: the ones between may yet come, and a slip must not
 * silence all that come after it.
 */
export const MAX_REVISION_JUMP = 16;
/** Labels that are recognised when they come again, and what is kept of each. */
const RECENT_LABELS = 64;
const LABEL_BYTES = 8;

/** A label with what it left to the account counter. */
export type CompleteLabel = FraudLabel & { readonly revision: number; readonly effectiveAtMs: bigint };

/**
 * Adds what a label leaves out: the next revision, and that it counts from now on. Dated at its transaction a late
 * verdict would lie outside the window, and count nowhere.
 */
export function completeLabel(state: AccountState, label: FraudLabel): CompleteLabel {
  return {
    ...label,
    revision: label.revision ?? heldRevision(state, label) + 1,
    effectiveAtMs: label.effectiveAtMs ?? maxTime(label.eventTimeMs, state.latestEventTimeMs),
  };
}

/** The revision of the verdict that holds on a label's transaction; 0: there is none. */
export const heldRevision = (state: AccountState, { transactionId }: FraudLabel): number =>
  state.verdicts.find((verdict) => verdict.transactionId === transactionId)?.revision ?? 0;

/**
 * Whether this very label was recorded: one without a revision would count as another verdict each time that it is
 * sent.
 *
 * @param label - as it came
 */
export function isRecorded({ recentLabels }: AccountState, label: FraudLabel): boolean {
  const digest = digestOf(label);
  for (let at = 0; at < recentLabels.length; at += LABEL_BYTES)
    if (recentLabels.subarray(at, at + LABEL_BYTES).equals(digest)) return true;
  return false;
}

/** Remembers a label as recorded. Changes `state`. @param label - as it came */
export function rememberLabel(state: AccountState, label: FraudLabel): void {
  const all = Buffer.concat([state.recentLabels, digestOf(label)]);
  state.recentLabels = all.subarray(Math.max(0, all.length - RECENT_LABELS * LABEL_BYTES));
}

const digestOf = (label: FraudLabel): Uint8Array =>
  sha256(FraudLabel.encode({ ...label, origin: undefined }).finish()).subarray(0, LABEL_BYTES);

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
 * Beyond `maxVerdicts` one is forgotten: see {@link forgetOne}. Changes `state`.
 */
export function recordVerdict(state: AccountState, sent: FraudLabel, maxVerdicts: number): VerdictChange | undefined {
  const label = completeLabel(state, sent);
  const known = state.verdicts.find((verdict) => verdict.transactionId === label.transactionId);
  if (known !== undefined && label.revision <= known.revision) return undefined;
  const wasFraud = known?.verdict === Verdict.FRAUD;
  const isFraud = label.verdict === Verdict.FRAUD;
  const counted = wasFraud
    ? { merchantId: known.merchantId, effectiveAtMs: known.effectiveAtMs }
    : { merchantId: label.merchantId, effectiveAtMs: label.effectiveAtMs };

  const recorded: RecordedVerdict = {
    transactionId: label.transactionId,
    revision: label.revision,
    verdict: label.verdict,
    ...(wasFraud && isFraud ? counted : { merchantId: label.merchantId, effectiveAtMs: label.effectiveAtMs }),
  };
  if (known === undefined) state.verdicts.push(recorded);
  else state.verdicts[state.verdicts.indexOf(known)] = recorded;
  if (state.verdicts.length > maxVerdicts) forgetOne(state.verdicts);

  const delta = isFraud === wasFraud ? 0 : isFraud ? 1 : -1;
  return { delta, ...counted };
}

/** Removes every verdict effective at or before `cutoffMs`; returns how many. Changes `state`. */
export function expireVerdicts(state: AccountState, cutoffMs: bigint): number {
  const before = state.verdicts.length;
  state.verdicts = state.verdicts.filter(({ effectiveAtMs }) => effectiveAtMs > cutoffMs);
  return before - state.verdicts.length;
}

/**
 * Forgets a verdict that says "legitimate" before one that says "fraud", whatever their times: however many good
 * verdicts somebody makes up, they push no confirmed fraud out. Among equals the one with the earliest effective time
 * goes, of several equally early ones the first recorded.
 */
function forgetOne(verdicts: RecordedVerdict[]): void {
  const goesBefore = (one: RecordedVerdict, other: RecordedVerdict): boolean => {
    const [oneIsFraud, otherIsFraud] = [one.verdict === Verdict.FRAUD, other.verdict === Verdict.FRAUD];
    return oneIsFraud === otherIsFraud ? one.effectiveAtMs < other.effectiveAtMs : otherIsFraud;
  };
  let least = 0;
  verdicts.forEach((verdict, at) => {
    if (goesBefore(verdict, verdicts[least]!)) least = at;
  });
  verdicts.splice(least, 1);
}
