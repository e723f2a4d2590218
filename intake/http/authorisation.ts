import { createHash, timingSafeEqual } from "node:crypto";

import { type ProblemDetails, problemDetails } from "./problem-details.js";

/**
 * Whom a route answers: everyone, or clients with the token for transactions, or with the one for labels. A label
 * affects how later transactions score, so clients that send payments may not send labels.
 */
export type Scope = "open" | "transactions" | "labels";

/** The tokens that clients must show; without any, anyone may do anything. */
export interface Tokens {
  /** `INTAKE_TOKEN`: for transactions and decisions. */
  readonly transactions: string | undefined;
  /** `INTAKE_LABEL_TOKEN`: for labels and their outcomes. */
  readonly labels: string | undefined;
}

/**
 * @returns a check of a request's `Authorization` header for a scope: it returns why the request is refused, or
 * `undefined`
 */
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
      // A scope's token is not valid for another: where only the one for transactions is set, no client can have the
      // right one.
      return scope === "labels" && transactions !== undefined
        ? problemDetails(
            403,
            "labels need their own token, and this intake was given none: start it with INTAKE_LABEL_TOKEN",
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

/** Hashes are compared, so that the time taken reveals nothing of the token. */
const hash = (text: string): Buffer => createHash("sha256").update(text).digest();
