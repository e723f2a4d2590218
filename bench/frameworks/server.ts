import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";

import express from "express";
import { fastify } from "fastify";

import { admitJson } from "../../intake/admission.js";
import { MAX_BODY_BYTES, readBody } from "../../intake/http/body.js";
import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { serveVariant } from "../serve-variant.js";

/**
 * One of the servers that are compared, in its own process: `BENCH_VARIANT` is `fastify`, `express` or `none`, which is
 * `node:http` alone. Each does what the intake does with a transaction, but for handing it to Kafka. It says its port,
 * and on SIGTERM ends.
 */
const PATH = "/v1/transactions";

async function admitted(bytes: Buffer): Promise<{ readonly location: string; readonly answer: object }> {
  const { results } = await readBody(bytes, false, (item) => (item as { readonly json: unknown }).json);
  const clock = { nowMs: Date.now(), maxAheadMs: 60_000 };
  const { accountId, id, value } = admitJson("transaction", results[0], { newId: () => `http-${randomUUID()}` }, clock);
  if (Transaction.decode(value).accountId !== accountId) throw new Error("what was encoded is not what came");
  return { location: `/v1/accounts/${accountId}/decisions/${id}`, answer: { accountId, id, status: "accepted" } };
}

async function fastifyServer(): Promise<Server> {
  const app = fastify({ bodyLimit: MAX_BODY_BYTES });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_, body, done) => done(null, body));
  app.post(PATH, async (request, reply) => {
    const { location, answer } = await admitted(request.body as Buffer);
    await reply.code(202).header("location", location).send(answer);
  });
  await app.ready();
  return app.server;
}

function expressServer(): Server {
  const app = express().disable("x-powered-by").disable("etag");
  app.post(PATH, express.raw({ type: () => true, limit: MAX_BODY_BYTES }), async (request, response) => {
    const { location, answer } = await admitted(request.body as Buffer);
    response.status(202).setHeader("location", location).json(answer);
  });
  return createServer(app);
}

const bareServer = (): Server =>
  createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      void admitted(Buffer.concat(chunks)).then(({ location, answer }) => {
        const body = JSON.stringify(answer);
        const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body), location };
        response.writeHead(202, headers).end(body);
      });
    });
  });

await serveVariant({ fastify: fastifyServer, express: expressServer, none: bareServer });
