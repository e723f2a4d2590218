import { type DecisionSummary, summaryOf } from "../../contract/decision-summary.js";
import type { KnownDecision } from "../decision-index.js";

/** A decision as the API shows it, the last one on its transaction; in the topic it has all its evidence. */
export interface DecisionJson extends DecisionSummary {
  readonly accountId: string;
  readonly transactionId: string;
  /** `provisional` until its checkpoint completes: a failure can still take it back. */
  readonly status: "committed" | "provisional";
  readonly modelId: string;
}

export function decisionJson({ decision, committed }: KnownDecision): DecisionJson {
  const { transaction, scoring } = decision.evidence!;
  const { outcome, score, reasons, accountSeq, possibleRepeat } = summaryOf(decision.evidence!);
  return {
    accountId: transaction!.accountId,
    transactionId: transaction!.transactionId,
    status: committed ? "committed" : "provisional",
    outcome,
    score,
    reasons,
    modelId: scoring?.modelId ?? "",
    accountSeq,
    possibleRepeat,
  };
}
