import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";

import { pino } from "pino";

import { LIMITS } from "../../contract/limits.js";
import { startApp } from "../../dashboards/live/testing/started-app.js";
import { fraudFunctions } from "../../functions/fraud-functions.js";
import { serverMetrics } from "../../functions/server-metrics.js";
import { logicVersion, parseSettings } from "../../functions/settings.js";
import { parseModel } from "../../functions/transaction-scorer/model.js";
import { CLIENTS_THAT_WAIT, CONNECTION_TIMES, limitConnections } from "../../http/connections/limit-connections.js";
import { DecisionIndex } from "../../intake/decision-index.js";
import { httpDoor } from "../../intake/http/http-door.js";
import { intakeMetrics } from "../../intake/metrics.js";
import { UNSTAMPED } from "../../intake/models-in-force.js";
import { given } from "../../process/environment.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { nodeHttpListener, RequestReplyHandler } from "../../statefun/index.js";

/**
 * One of the servers that hostile bodies are sent to, without what stands behind it: `BENCH_SERVER` is `intake`,
 * `functions`, `dashboard` or `dummy`. It logs to the file `BENCH_LOG`, sends its port, and for each message what has
 * been since the last one: the longest time for which its event loop stood, in ms, and the most processor time of one
 * of its turns, which does not depend on what else the machine does.
 */
const env = given();
const logger = pino({ name: "hostile" }, pino.destination({ dest: env["BENCH_LOG"]!, sync: true }));

const SERVERS: Readonly<Record<string, () => Promise<number>>> = {
  intake: async () => {
    const { metrics } = intakeMetrics({
      queuedBytes: () => 0,
      lag: () => Promise.resolve([]),
      backlogSeconds: () => undefined,
      room: () => undefined,
      consumers: () => [],
    });
    const app = httpDoor({
      writer: { write: () => Promise.resolve(), queuedBytes: 0, stalledMs: 0 },
      overload: () => undefined,
      shortage: () => undefined,
      index: new DecisionIndex(100),
      models: { stamps: UNSTAMPED, newest: undefined },
      metrics,
      maxAheadMs: 300_000,
      logger,
      tokens: { transactions: undefined, labels: undefined },
      names: { hosts: [], variable: "INTAKE_HOSTS" },
      health: () => [],
      notReady: () => [],
      scrape: () => Promise.resolve({ contentType: "text/plain", text: "" }),
    });
    await app.listen({ host: "127.0.0.1", port: 0 });
    return (app.server.address() as AddressInfo).port;
  },
  functions: () => {
    const settings = parseSettings();
    const functions = fraudFunctions({
      settings,
      model: parseModel(readFileSync(join(REPOSITORY_ROOT, "models/points-v1.json"))),
      logicVersion: logicVersion(settings),
      metrics: serverMetrics().metrics,
      now: () => BigInt(Date.now()),
    });
    const server = createServer(
      CONNECTION_TIMES,
      nodeHttpListener(
        new RequestReplyHandler(functions, {
          maxBodyBytes: LIMITS.bodyBytes,
          maxMessageBytes: LIMITS.messageBytes,
          maxStateBytes: LIMITS.stateBytes,
          logger,
        }),
      ),
    );
    limitConnections(server, { connections: 16_384, ...CLIENTS_THAT_WAIT });
    return new Promise((resolve) =>
      server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)),
    );
  },
  dashboard: async () => {
    const { port } = await startApp({ logger });
    return port;
  },
  /** Nothing of ours: what an attacker is compared by. */
  dummy: () => {
    const server = createServer((request, response) => request.resume().on("end", () => response.end()));
    return new Promise((resolve) =>
      server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)),
    );
  },
};

const port = await SERVERS[env["BENCH_SERVER"] ?? ""]!();
let longestMs = 0;
let watching = false;
/** From one turn of the event loop to the next; the first message begins it. */
const watch = (before: NodeJS.CpuUsage): void => {
  const { user, system } = process.cpuUsage(before);
  longestMs = Math.max(longestMs, (user + system) / 1_000);
  const now = process.cpuUsage();
  setImmediate(() => watch(now));
};
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
process.on("SIGINT", () => undefined);
process.on("message", () => {
  process.send!({ loopMs: Math.round(delay.max / 1e5) / 10, cpuMs: Math.round(longestMs * 10) / 10 });
  delay.reset();
  longestMs = 0;
  if (!watching) watch(process.cpuUsage());
  watching = true;
});
process.send!({ port });
