import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { type Logger, pino } from "pino";

import type { Person } from "../../../http/people.js";
import type { ConsumerHealth } from "../../../kafka/consumer-health.js";
import { Outcome } from "../../../protos/gen/fraud/v1/decision.js";
import { dashboardApp } from "../http/app.js";
import { FailureMenu } from "../http/failures.js";
import { Sessions } from "../http/guards.js";
import { repositoryModels } from "../models.js";
import { Dashboard } from "../state/dashboard.js";
import { SseHub } from "../state/sse-hub.js";
import { decisionRecord, sampleAlert, sampleDecisionRecord } from "./samples.js";

const servers: Server[] = [];

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** The app's doors on a free port, next to an intake and a helper that note what they are asked. */
export async function startApp({
  token,
  people,
  failures = false,
  consumers = [],
  logger = pino({ enabled: false }),
}: {
  token?: string;
  people?: readonly Person[];
  failures?: boolean;
  consumers?: readonly ConsumerHealth[];
  logger?: Logger;
} = {}) {
  const asked: { path: string; authorization: string | undefined; body: unknown }[] = [];
  const traced: [string, string][] = [];
  let intakeStatus = 202;
  const other = await listen(
    createServer((incoming, response) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        asked.push({
          path: incoming.url!,
          authorization: incoming.headers.authorization,
          body: body === "" ? undefined : JSON.parse(body),
        });
        if (incoming.url === "/parts") response.end(JSON.stringify({ parts: ["taskmanager"] }));
        else if (incoming.url!.startsWith("/kill/"))
          response
            .writeHead(incoming.url === "/kill/taskmanager" ? 202 : 404)
            .end(JSON.stringify({ error: "not that one" }));
        else response.writeHead(intakeStatus).end(JSON.stringify({ detail: "says the intake" }));
      });
    }),
  );
  const models = repositoryModels();
  const dashboard = new Dashboard({ keepAlerts: 100, keepDecisions: 1_000, models });
  dashboard.alerts.add(sampleAlert({ id: "a/1", account: "a", transactionId: "t1", merchantName: "<b>Shop</b>" }));
  dashboard.onRecord(
    decisionRecord(
      sampleDecisionRecord({
        accountId: "a",
        transactionId: "t1",
        outcome: Outcome.REVIEW,
        eventTimeMs: 1_767_225_600_000n,
      }),
    ),
  );
  dashboard.onRecord(
    decisionRecord(
      sampleDecisionRecord({
        accountId: "a",
        transactionId: "t2",
        accountSeq: 2n,
        outcome: Outcome.APPROVE,
        eventTimeMs: 1_767_225_700_000n,
      }),
    ),
  );
  const hub = new SseHub({ bootId: "b", kept: 10, maxKeptBytes: 1_000_000, maxBufferedBytes: 1_000 });
  const url = `http://127.0.0.1:${other}`;
  const { server } = await dashboardApp({
    dashboard,
    hub,
    bundle: {
      html: "<!doctype html><title>app</title>",
      assets: new Map([["app.0.js", { type: "text/javascript", bytes: Buffer.from("1") }]]),
    },
    sessions: new Sessions(token, people),
    tracer: {
      trace: (accountId, transactionId) => {
        traced.push([accountId, transactionId]);
        return Promise.resolve({ status: 404, error: "no transaction <b>" });
      },
    },
    failures: failures ? new FailureMenu({ url, token: "helper" }) : undefined,
    meta: { reasons: models.reasons, since: 0 },
    verdictDoor: { intake: url, labelToken: "for-the-intake", newId: () => "label-1" },
    names: { hosts: ["fraud.example:443"], variable: "DASHBOARD_HOSTS" },
    health: () => consumers,
    scrape: () => Promise.resolve({ contentType: "text/plain", text: "metrics" }),
    onVerdict: () => undefined,
    onRefused: () => undefined,
    logger,
  });
  const port = await listen(server);
  const send = (method: string, path: string, headers: Record<string, string>, bytes?: Buffer): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port, method, path, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks).toString() }),
        );
        response.on("error", reject);
      });
      sent.on("error", reject);
      sent.end(bytes);
    });
  const ask = (
    method: string,
    path: string,
    { headers = {}, body }: { headers?: Record<string, string>; body?: unknown } = {},
  ): Promise<Answer> =>
    send(
      method,
      path,
      { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      body === undefined ? undefined : Buffer.from(JSON.stringify(body)),
    );
  return { ask, send, asked, traced, hub, port, server, dashboard, refuseLabels: () => (intakeStatus = 400) };
}

/** Closes every app that was started, and what stands next to them. */
export function closeApps(): void {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
}
