import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { resolve } from "node:path";

import { pino } from "pino";
import { z } from "zod";

import { LIMITS } from "../contract/limits.js";
import { BASE_PORTS } from "../contract/ports.js";
import { CONNECTION_TIMES, limitConnections } from "../process/connections.js";
import { REPOSITORY_ROOT } from "../process/repository-root.js";
import { fromEnvironment, listening, runServer, stopOnSignal } from "../process/server-program.js";
import { drain, FRAMING_BYTES, nodeHttpListener, RequestReplyHandler } from "../statefun/index.js";
import { fraudFunctions } from "./fraud-functions.js";
import { serverMetrics } from "./server-metrics.js";
import { logicVersion, parseSettings } from "./settings.js";
import { parseModel } from "./transaction-scorer/model.js";

/** StateFun keeps a pooled connection for up to 18 s; a server that closes first costs it a failed attempt. */
const KEEP_ALIVE_MS = 75_000;
/** StateFun has eight of each task; a proxy before several servers has some more. */
const MAX_CONNECTIONS = 256;
/** A client waits for an answer before it sends the next request. */
const MAX_OPEN_REQUESTS = 8;
const SHUTDOWN_LIMIT_MS = 5_000;
/** What a function adds to a record on its way, and the envelope around it. */
const OVERHEAD_BYTES = 2 * 1024;

const environment = z.object({
  ...listening(BASE_PORTS.functions),
  /** A model file, from the repository's root. */
  FRAUD_MODEL: z.string().default("models/points-v1.json"),
  /** Settings over the defaults, as JSON. */
  FRAUD_SETTINGS: z.string().default("{}"),
});

/**
 * The function server: `POST /statefun` and `POST /statefun/batch` for StateFun, `GET /healthz`, `GET /metrics` for
 * Prometheus.
 */
function main(): void {
  const largestCall = LIMITS.batchRecords * (LIMITS.recordBytes + OVERHEAD_BYTES) + LIMITS.stateBytes;
  if (largestCall + FRAMING_BYTES > LIMITS.bodyBytes)
    throw new Error(`a full batch of ${largestCall} bytes would not fit into a request of ${LIMITS.bodyBytes}`);
  const logger = pino({ name: "functions" }, pino.destination({ sync: true }));
  const { HOST: host, PORT: port, FRAUD_MODEL: modelFile, FRAUD_SETTINGS: settingsText } = fromEnvironment(environment);
  const model = parseModel(readFileSync(resolve(REPOSITORY_ROOT, modelFile)));
  const settings = parseSettings(JSON.parse(settingsText));
  const version = logicVersion(settings);

  const { metrics, registry } = serverMetrics();
  const functions = fraudFunctions({
    settings,
    model,
    logicVersion: version,
    metrics,
    now: () => BigInt(Date.now()),
  });
  const statefun = nodeHttpListener(new RequestReplyHandler(functions, { maxBodyBytes: LIMITS.bodyBytes, logger }));

  const server = createServer({ ...CONNECTION_TIMES, keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    if (request.url === "/statefun" || request.url === "/statefun/batch") return statefun(request, response);
    void other(request, response);
  });

  limitConnections(server, { connections: MAX_CONNECTIONS, requests: MAX_OPEN_REQUESTS });

  async function other(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === "/healthz") {
      response
        .setHeader("content-type", "application/json")
        .end(JSON.stringify({ status: "ok", logicVersion: version, modelId: model.id }));
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

  // What still runs after the limit is retried by StateFun against the next server.
  stopOnSignal({
    limitMs: SHUTDOWN_LIMIT_MS,
    stop: async () => {
      logger.info("shutting down");
      await drain(server);
    },
  });
}

await runServer("the function server", main);
