import { Outcome } from "../../protos/gen/fraud/v1/decision.js";
import { Alert, Alert_Cause, Alert_Kind } from "../../protos/gen/fraud/v1/evidence.js";
import type { AlerterState, CloseEpisode, SuspiciousDecision } from "../../protos/gen/fraud/v1/internal.js";
import { maxTime, saturateCount, saturateSum } from "../integers.js";
import type { FunctionSettings } from "../settings.js";

type AlerterSettings = FunctionSettings["alerter"];

/**
 * Takes a suspicious decision into the account's episodes, as docs/features.md defines them.
 *
 * @returns the alerts that it raises, in order: none, one, or a close and an opening. Changes `state`.
 */
export function onSuspicious(state: AlerterState, decision: SuspiciousDecision, settings: AlerterSettings): Alert[] {
  const { transaction, score, outcome, suspiciousSeq } = decision;
  if (transaction === undefined) throw new Error("a suspicious decision without its transaction");
  const declined = outcome === Outcome.DECLINE;
  const alerts: Alert[] = [];

  if (state.open !== undefined && transaction.eventTimeMs - state.open.lastEventTimeMs > BigInt(settings.gapMs)) {
    alerts.push(raise(state, Alert_Kind.CLOSED, Alert_Cause.GAP));
    state.open = undefined;
  }
  state.lastSuspiciousSeq = suspiciousSeq;

  if (state.open === undefined) {
    state.episode++;
    state.open = {
      suspiciousCount: 1,
      suspiciousAmountMinor: transaction.amountMinor,
      maxScore: score,
      openedAtMs: transaction.eventTimeMs,
      lastEventTimeMs: transaction.eventTimeMs,
      declined,
    };
    alerts.push(raise(state, Alert_Kind.OPENED, Alert_Cause.FIRST, decision));
    return alerts;
  }

  const open = state.open;
  open.suspiciousCount = saturateCount(open.suspiciousCount + 1);
  open.suspiciousAmountMinor = saturateSum(open.suspiciousAmountMinor + transaction.amountMinor);
  open.maxScore = Math.max(open.maxScore, score);
  open.lastEventTimeMs = maxTime(open.lastEventTimeMs, transaction.eventTimeMs);
  const firstDecline = declined && !open.declined;
  open.declined ||= declined;
  if (firstDecline) alerts.push(raise(state, Alert_Kind.ESCALATED, Alert_Cause.DECLINE, decision));
  else if (settings.escalateAt.includes(open.suspiciousCount))
    alerts.push(raise(state, Alert_Kind.ESCALATED, Alert_Cause.COUNT, decision));
  return alerts;
}

/**
 * A timer fired. Closes the episode that it names unless something came since.
 *
 * @returns the closing alert; `"later"` when something came: set the timer again; `undefined` when the episode is
 *   over already. Changes `state`.
 */
export function onTimer(state: AlerterState, timer: CloseEpisode): Alert | "later" | undefined {
  if (state.open === undefined || timer.episode !== state.episode) return undefined;
  if (timer.lastSuspiciousSeq !== state.lastSuspiciousSeq) return "later";
  const alert = raise(state, Alert_Kind.CLOSED, Alert_Cause.TIMER);
  state.open = undefined;
  return alert;
}

function raise(state: AlerterState, kind: Alert_Kind, cause: Alert_Cause, decision?: SuspiciousDecision): Alert {
  const { open } = state;
  state.alertSeq++;
  return Alert.fromPartial({
    alertSeq: state.alertSeq,
    episode: state.episode,
    kind,
    cause,
    lastSuspiciousSeq: state.lastSuspiciousSeq,
    ...(open && {
      suspiciousCount: open.suspiciousCount,
      suspiciousAmountMinor: open.suspiciousAmountMinor,
      maxScore: open.maxScore,
      openedAtMs: open.openedAtMs,
      lastEventTimeMs: open.lastEventTimeMs,
    }),
    ...(decision && { transaction: decision.transaction, score: decision.score, reasons: decision.reasons }),
  });
}
