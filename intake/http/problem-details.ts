import type { FastifyReply } from "fastify";

import { PROBLEM_TYPE } from "../../http/strangers.js";
import { type Problem, reasonName } from "../problem.js";

/** RFC 9457. */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The rule that was broken, such as `MISSING_FIELD`. */
  readonly reason?: string;
  /** The field that broke it. */
  readonly field?: string;
}

export { PROBLEM_TYPE };

const TITLES: Readonly<Record<number, string>> = {
  400: "The request is not valid",
  401: "A bearer token is needed",
  403: "Not allowed",
  404: "Not found",
  405: "Method not allowed",
  409: "The id belongs to different content",
  408: "The request did not arrive in time",
  413: "The request is too large",
  414: "The path is too long",
  415: "Unsupported content type or coding",
  421: "Meant for another server",
  429: "Not now",
  431: "The request's headers are too large",
  500: "The intake failed",
  503: "The intake takes nothing now",
};

/** A problem that has a name, or only a status. */
export function problemDetails(status: number, detail: string, reason?: string, field?: string): ProblemDetails {
  return {
    type:
      reason === undefined ? "about:blank" : `urn:fraud-detection:problem:${reason.toLowerCase().replaceAll("_", "-")}`,
    title: TITLES[status] ?? "The request failed",
    status,
    detail,
    ...(reason !== undefined && { reason }),
    ...(field !== undefined && field !== "" && { field }),
  };
}

/** Why an input was refused. */
export const refusalDetails = ({ reason, message, field }: Problem): ProblemDetails =>
  problemDetails(400, message, reasonName(reason), field);

export async function sendProblem(reply: FastifyReply, problem: ProblemDetails): Promise<void> {
  await reply.code(problem.status).type(PROBLEM_TYPE).send(problem);
}
