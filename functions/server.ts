import { createServer } from "node:http";

import { bytesToHex } from "@noble/hashes/utils.js";
import { z } from "zod";

import { LIMITS } from "../contract/limits.js";
import { BASE_PORTS } from "../contract/ports.js";
import { CLIENTS_THAT_WAIT, CONNECTION_TIMES, limitConnections } from "../http/connections/limit-connections.js";
import { hostList } from "../http/strangers.js";
import { REPOSITORY_ROOT } from "../process/repository-root.js";
import { serverLogger } from "../process/server-log.js";
import { fromEnvironment, listening, runServer, stopOnSignal } from "../process/server-program.js";
import { drain, FRAMING_BYTES, nodeHttpListener, RequestReplyHandler } from "../statefun/index.js";
import { fraudFunctions } from "./fraud-functions.js";
import { readModels } from "./model-files.js";
import { functionDoor } from "./server-door.js";
import { serverMetrics } from "./server-metrics.js";
import { logicVersion, parseSettings } from "./settings.js";

/** StateFun keeps a pooled connection for up to 18 s; a server that closes first costs it a failed attempt. */
const KEEP_ALIVE_MS = 75_000;
/**
 * The batching transport has eight of each task. StateFun's own has one for each call, and up to 1,024 for each of the
 * four functions and each task: fewer than that would refuse calls, again and again.
 */
const MAX_CONNECTIONS = 16_384;
/** What all tasks together have not read: of each connection a megabyte of an answer, and what one more call adds. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;
const SHUTDOWN_LIMIT_MS = 5_000;
/** What a function adds to a record on its way, and the envelope around it. */
const OVERHEAD_BYTES = 2 * 1024;

/** What one request may hold, besides the bounds that the SDK has. */
const REQUEST_LIMITS = {
  maxBodyBytes: LIMITS.bodyBytes,
  maxMessageBytes: LIMITS.messageBytes,
  maxStateBytes: LIMITS.stateBytes,
};

const environment = z.object({
  ...listening(BASE_PORTS.functions),
  /** Names, with ports, under which it may be asked, besides those of loopback. */
  FUNCTIONS_HOSTS: z.string().default(""),
  /**
   * Model files and folders of them, from the repository's root, separated by commas. The first scores transactions
   * that name none.
   */
  FRAUD_MODEL: z.string().default("models/points-v3.json"),
  /** Settings over the defaults, as JSON. */
  FRAUD_SETTINGS: z.string().default("{}"),
});

/** The function server: StateFun calls it. */
function main(): void {
  const largestCall = LIMITS.batchRecords * (LIMITS.recordBytes + OVERHEAD_BYTES) + LIMITS.stateBytes;
  if (largestCall + FRAMING_BYTES > LIMITS.bodyBytes)
    throw new Error(`a full batch of ${largestCall} bytes would not fit into a request of ${LIMITS.bodyBytes}`);
  const logger = serverLogger("functions");
  const given = fromEnvironment(environment);
  const { HOST: host, PORT: port } = given;
  const settings = parseSettings(JSON.parse(given.FRAUD_SETTINGS));
  const [model, ...otherModels] = readModels(given.FRAUD_MODEL, REPOSITORY_ROOT, settings);
  const version = logicVersion(settings);

  const { metrics, registry } = serverMetrics([model, ...otherModels]);
  const functions = fraudFunctions({
    settings,
    model,
    otherModels,
    logicVersion: version,
    metrics,
    now: () => BigInt(Date.now()),
  });
  const statefun = nodeHttpListener(new RequestReplyHandler(functions, { ...REQUEST_LIMITS, logger }));

  const server = createServer(
    { ...CONNECTION_TIMES, keepAliveTimeout: KEEP_ALIVE_MS },
    functionDoor({
      statefun,
      names: { hosts: hostList(given.FUNCTIONS_HOSTS), variable: "FUNCTIONS_HOSTS" },
      health: {
        status: "ok",
        logicVersion: version,
        modelId: model.id,
        models: [model, ...otherModels].map(({ id, hash }) => ({ id, hash: bytesToHex(hash) })),
      },
      scrape: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    }),
  );
  limitConnections(server, {
    connections: MAX_CONNECTIONS,
    ...CLIENTS_THAT_WAIT,
    unreadBytes: MAX_UNREAD_BYTES,
  });

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
