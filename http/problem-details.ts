import { type ServerResponse, STATUS_CODES } from "node:http";

/** RFC 9457: the form in which every server of this repository refuses. */
export const PROBLEM_TYPE = "application/problem+json";

/** The members of every problem. */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
}

/** A problem without a name of its own, so its title is that of the status. */
export const problemDetails = (status: number, detail: string): ProblemDetails => ({
  type: "about:blank",
  title: STATUS_CODES[status] ?? "Unknown",
  status,
  detail,
});

/** Answers with a problem. */
export function refuse(response: ServerResponse, status: number, detail: string): void {
  const body = JSON.stringify(problemDetails(status, detail));
  response
    .writeHead(status, { "content-type": `${PROBLEM_TYPE}; charset=utf-8`, "content-length": Buffer.byteLength(body) })
    .end(body);
}
