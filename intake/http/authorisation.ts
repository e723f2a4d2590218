import { bearerToken, isSameToken, type Person, personWith } from "../../http/people.js";
import { type ProblemDetails, problemDetails } from "../../http/problem-details.js";

/**
 * Whom a route answers: everyone, or clients with the token for transactions, or with the one for labels. A label
 * affects how later transactions score, so clients that send payments may not send labels.
 */
export type Scope = "open" | "transactions" | "labels";

/** The tokens that clients must show; without any, anyone may do anything. */
export interface Tokens {
  /** `INTAKE_TOKEN`: for transactions and decisions. */
  readonly transactions: string | undefined;
  /**
   * `INTAKE_LABEL_TOKEN`: for labels and their outcomes. Whoever has it speaks for others: it is for the web app, and
   * for programs that feed labels.
   */
  readonly labels: string | undefined;
  /** `INTAKE_LABEL_USERS`: people who may label in their own name only. */
  readonly people?: readonly Person[];
}

/** Who may go on: `name` is set for people who may label in their own name only. Or why the request is refused. */
export type Authorisation =
  { readonly name: string | undefined; readonly problem?: undefined } | { readonly problem: ProblemDetails };

/** @returns a check of a request's `Authorization` header for a scope: who may go on, or why the request is refused */
export function authorisation({
  transactions,
  labels,
  people = [],
}: Tokens): (scope: Scope, header: string | undefined) => Authorisation {
  const isWanted = { transactions: transactions !== undefined, labels: labels !== undefined || people.length > 0 };
  const holder = {
    transactions: (token: string): Authorisation | undefined =>
      transactions !== undefined && isSameToken(token, transactions) ? ANYBODY : undefined,
    labels: (token: string): Authorisation | undefined => {
      const name = personWith(token, people)?.name;
      const isShared = labels !== undefined && isSameToken(token, labels);
      return name !== undefined || isShared ? { name } : undefined;
    },
  };
  return (scope, header) => {
    if (scope === "open" || !isWanted[scope]) {
      // A scope's token is not valid for another: where only the one for transactions is set, no client can have the
      // right one.
      return scope === "labels" && transactions !== undefined
        ? refused(
            403,
            "labels need their own token, and this intake was given none: start it with INTAKE_LABEL_TOKEN or INTAKE_LABEL_USERS",
          )
        : ANYBODY;
    }
    const shown = bearerToken(header) ?? "";
    const allowed = holder[scope](shown);
    if (allowed !== undefined) return allowed;
    const other = scope === "labels" ? "transactions" : "labels";
    return holder[other](shown) !== undefined
      ? refused(403, `this token is for ${other}: ${scope} want the one of ${VARIABLES[scope]}`)
      : refused(401, `send the header Authorization: Bearer <token>, with the token of ${VARIABLES[scope]}`);
  };
}

const ANYBODY: Authorisation = { name: undefined };
const refused = (status: number, detail: string): Authorisation => ({ problem: problemDetails(status, detail) });
const VARIABLES = { transactions: "INTAKE_TOKEN", labels: "INTAKE_LABEL_TOKEN" } as const;
