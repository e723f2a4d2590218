import { Outcome } from "../../protos/gen/fraud/v1/decision.js";
import type { KnownDecision } from "../decision-index.js";

/** A decision as the API shows it; the topic has it with all its evidence. */
export interface DecisionJson {
  readonly accountId: string;
  readonly transactionId: string;
  /** `provisional` until its checkpoint completes: a failure can still take it back. */
  readonly status: "committed" | "provisional";
  readonly outcome: string;
  readonly score: number;
  readonly reasons: readonly { readonly code: string; readonly points: number }[];
  readonly modelId: string;
  /** The transaction's number among the account's. */
  readonly accountSeq: string;
  /** As old as what the account has forgotten, so that it may have been decided before; the last decision is shown. */
  readonly possibleRepeat: boolean;
}

export function decisionJson({ decision, committed }: KnownDecision): DecisionJson {
  const { transaction, account, scoring } = decision.evidence!;
  return {
    accountId: transaction!.accountId,
    transactionId: transaction!.transactionId,
    status: committed ? "committed" : "provisional",
    outcome: Outcome[scoring?.outcome ?? Outcome.ERROR] ?? "ERROR",
    score: scoring?.score ?? 0,
    reasons: (scoring?.reasons ?? []).map(({ code, points }) => ({ code, points })),
    modelId: scoring?.modelId ?? "",
    accountSeq: String(account?.seq ?? 0n),
    possibleRepeat: account?.possibleRepeat ?? false,
  };
}
