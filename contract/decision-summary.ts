// Imports nothing: the web app's pages have it too.

export type OutcomeName = "APPROVE" | "REVIEW" | "DECLINE" | "ERROR";

/** What JSON says of a decision, whoever shows it. */
export interface DecisionSummary {
  readonly outcome: OutcomeName;
  readonly score: number;
  /** The rules that fired, and the points that each gave. */
  readonly reasons: readonly { readonly code: string; readonly points: number }[];
  /** The transaction's number among the account's. */
  readonly accountSeq: string;
  /** As old as what the account has forgotten: it may have been decided before. */
  readonly possibleRepeat: boolean;
}

/** The evidence that it is taken from: `fraud.v1.Evidence` as far as it is needed. */
export interface SummedUpEvidence {
  readonly account?: { readonly seq: bigint; readonly possibleRepeat: boolean } | undefined;
  readonly scoring?: (Pick<DecisionSummary, "score" | "reasons"> & { readonly outcome: number }) | undefined;
}

/** @param outcome - of `fraud.v1.Outcome`; what is not known counts as an error */
export function outcomeName(outcome: number): OutcomeName {
  switch (outcome) {
    case 1:
      return "APPROVE";
    case 2:
      return "REVIEW";
    case 3:
      return "DECLINE";
    default:
      return "ERROR";
  }
}

export const summaryOf = ({ account, scoring }: SummedUpEvidence): DecisionSummary => ({
  outcome: outcomeName(scoring?.outcome ?? 0),
  score: scoring?.score ?? 0,
  reasons: (scoring?.reasons ?? []).map(({ code, points }) => ({ code, points })),
  accountSeq: String(account?.seq ?? 0n),
  possibleRepeat: account?.possibleRepeat ?? false,
});
