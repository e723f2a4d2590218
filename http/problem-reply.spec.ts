import { fastify } from "fastify";
import { expect, it } from "vitest";

import { PROBLEM_TYPE, problemDetails } from "./problem-details.js";
import { prepareProblem, sendPrepared, sendProblem } from "./problem-reply.js";

it("is the same answer, written before or when it is sent, with the headers that it has already", async () => {
  const app = fastify();
  const prepared = prepareProblem(503, "nicht für Sie");
  app.get("/prepared", (_, reply) => void sendPrepared(reply.header("retry-after", "5"), prepared));
  app.get("/sent", (_, reply) => void sendProblem(reply, { ...problemDetails(409, "known"), title: "Known" }));
  for (const [url, problem, retryAfter] of [
    ["/prepared", problemDetails(503, "nicht für Sie"), "5"],
    ["/sent", { ...problemDetails(409, "known"), title: "Known" }, undefined],
  ] as const) {
    const { statusCode, headers, payload } = await app.inject(url);
    expect([statusCode, headers["content-type"], headers["retry-after"], JSON.parse(payload)]).toEqual([
      problem.status,
      `${PROBLEM_TYPE}; charset=utf-8`,
      retryAfter,
      problem,
    ]);
  }
  await app.close();
});
