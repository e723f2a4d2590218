import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { resolve } from "node:path";

import { pino } from "pino";

import { LIMITS } from "../contract/limits.js";
import { TOPICS } from "../contract/topics.js";
import { given } from "../process/environment.js";
import { REPOSITORY_ROOT } from "../process/repository-root.js";
import { drain, FRAMING_BYTES, nodeHttpListener, RequestReplyHandler } from "../statefun/index.js";
import { fraudFunctions } from "./fraud-functions.js";
import { serverMetrics } from "./server-metrics.js";
import { logicVersion, parseSettings } from "./settings.js";
import { parseModel } from "./transaction-scorer/model.js";

/** StateFun keeps a pooled connection for up to 18 s; a server that closes first costs it a failed attempt. */
const KEEP_ALIVE_MS = 75_000;
const SHUTDOWN_LIMIT_MS = 5_000;
/** What a function adds to a record on its way, and the envelope around it. */
const OVERHEAD_BYTES = 2 * 1024;

/** The function server: `POST /statefun` and `POST /statefun/batch` for StateFun, `GET /healthz`, `GET /metrics` for Prometheus. */
function main(): void {
  const largestCall = LIMITS.batchRecords * (LIMITS.recordBytes + OVERHEAD_BYTES) + LIMITS.stateBytes;
  if (largestCall + FRAMING_BYTES > LIMITS.bodyBytes) throw new Error(`a full batch of ${largestCall} bytes would not fit into a request of ${LIMITS.bodyBytes}`);
  const logger = pino({ name: "functions" }, pino.destination({ sync: true }));
  const env = given();
  const host = env["HOST"] ?? "127.0.0.1";
  const port = Number(env["PORT"] ?? 8000);
  const modelFile = resolve(REPOSITORY_ROOT, env["FRAUD_MODEL"] ?? "models/points-v1.json");
  const model = parseModel(readFileSync(modelFile));
  const settings = parseSettings(JSON.parse(env["FRAUD_SETTINGS"] ?? "{}"));
  const version = logicVersion(settings);

  const { metrics, registry } = serverMetrics();
  const functions = fraudFunctions({
    settings,
    model,
    logicVersion: version,
    topics: { decisions: TOPICS.decisions.name, evidence: TOPICS.evidence.name, alerts: TOPICS.alerts.name, rejected: TOPICS.functionsRejected.name },
    metrics,
    now: () => BigInt(Date.now()),
  });
  const statefun = nodeHttpListener(new RequestReplyHandler(functions, { maxBodyBytes: LIMITS.bodyBytes, logger }));

  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: KEEP_ALIVE_MS + 5_000 }, (request, response) => {
    if (request.url === "/statefun" || request.url === "/statefun/batch") return statefun(request, response);
    void other(request, response);
  });

  async function other(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === "/healthz") {
      response.setHeader("content-type", "application/json").end(JSON.stringify({ status: "ok", logicVersion: version, modelId: model.id }));
    } else if (request.url === "/metrics") {
      response.setHeader("content-type", registry.contentType).end(await registry.metrics());
    } else {
      response.writeHead(404, { "content-type": "text/plain" }).end("not found\n");
    }
  }

  server.on("error", (error) => {
    logger.fatal(error, `cannot listen on ${host}:${port}`);
    process.exitCode = 1;
  });
  server.listen(port, host, () => logger.info({ host, port, model: model.id, logicVersion: version }, "serving"));

  const shutDown = (): void => {
    logger.info("shutting down");
    void drain(server).then(() => process.exit(0));
    // What still runs after this is retried by StateFun against the next server.
    setTimeout(() => process.exit(0), SHUTDOWN_LIMIT_MS).unref();
  };
  process.once("SIGTERM", shutDown);
  process.once("SIGINT", shutDown);
}

main();
