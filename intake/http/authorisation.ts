import { createHash, timingSafeEqual } from "node:crypto";

import { type ProblemDetails, problemDetails } from "./problem-details.js";

/**
 * Whom a route answers: everybody, or who shows the token for transactions, or the one for labels. A label decides what
 * later transactions score, so who sends payments has no say in it.
 */
export type Scope = "open" | "transactions" | "labels";

/** What clients must show; without any, anybody may do anything. */
export interface Tokens {
  /** `INTAKE_TOKEN`: for transactions and decisions. */
  readonly transactions: string | undefined;
  /** `INTAKE_LABEL_TOKEN`: for labels, and what became of them. */
  readonly labels: string | undefined;
}

/** @returns what judges the header `Authorization` of a request for a scope: why it is refused, or `undefined` */
export function authorisation({
  transactions,
  labels,
}: Tokens): (scope: Scope, header: string | undefined) => ProblemDetails | undefined {
  const wanted = {
    transactions: transactions === undefined ? undefined : hash(`Bearer ${transactions}`),
    labels: labels === undefined ? undefined : hash(`Bearer ${labels}`),
  };
  return (scope, header) => {
    if (scope === "open" || wanted[scope] === undefined) {
      // The token of one scope is none of another: where only that for transactions is set, nobody has the right one.
      return scope === "labels" && transactions !== undefined
        ? problemDetails(
            403,
            "labels have a token of their own, and this intake was given none: start it with INTAKE_LABEL_TOKEN",
          )
        : undefined;
    }
    const shown = hash(header ?? "");
    if (timingSafeEqual(shown, wanted[scope])) return undefined;
    const other = scope === "labels" ? "transactions" : "labels";
    if (wanted[other] !== undefined && timingSafeEqual(shown, wanted[other]))
      return problemDetails(403, `this token is for ${other}: ${scope} want the one of ${VARIABLES[scope]}`);
    return problemDetails(401, `send the header Authorization: Bearer <token>, with the token of ${VARIABLES[scope]}`);
  };
}

const VARIABLES = { transactions: "INTAKE_TOKEN", labels: "INTAKE_LABEL_TOKEN" } as const;

/** Hashes are compared, so that the time taken tells nothing of the token. */
const hash = (text: string): Buffer => createHash("sha256").update(text).digest();
