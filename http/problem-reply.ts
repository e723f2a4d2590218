import type { FastifyReply } from "fastify";

import { PROBLEM_TYPE, type ProblemDetails, problemDetails } from "./problem-details.js";

/** A problem that is written once, and sent as often as it is met: a flood of refusals makes no body. */
export interface PreparedProblem {
  readonly status: number;
  readonly body: string;
}

export const prepareProblem = (status: number, detail: string): PreparedProblem =>
  prepared(problemDetails(status, detail));

/** Answers with a problem, by Fastify. */
export const sendProblem = (reply: FastifyReply, problem: ProblemDetails): FastifyReply =>
  sendPrepared(reply, prepared(problem));

/** Answers with a problem that is written already. */
export const sendPrepared = (reply: FastifyReply, { status, body }: PreparedProblem): FastifyReply =>
  reply.code(status).header("content-type", CONTENT_TYPE).send(body);

const prepared = (problem: ProblemDetails): PreparedProblem => ({
  status: problem.status,
  body: JSON.stringify(problem),
});
const CONTENT_TYPE = `${PROBLEM_TYPE}; charset=utf-8`;
