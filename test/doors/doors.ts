import { Agent, createServer, request, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { pino } from "pino";

import { KILLABLE, startFailureHelper } from "../../cluster/failure-helper.js";
import { closeApps, startApp } from "../../dashboards/live/testing/started-app.js";
import { functionDoor } from "../../functions/server-door.js";
import { DecisionIndex } from "../../intake/decision-index.js";
import { httpDoor } from "../../intake/http/http-door.js";
import { LabelIndex } from "../../intake/label-index.js";
import { intakeMetrics } from "../../intake/metrics.js";
import { UNSTAMPED } from "../../intake/models-in-force.js";
import { k6Door } from "../../loadtest/run/k6-door.js";
import { Decision, Outcome } from "../../protos/gen/fraud/v1/decision.js";
import { Any } from "../../protos/gen/google/protobuf/any.js";
import { nodeHttpListener, pack, RequestReplyHandler } from "../../statefun/index.js";
import { programFunctions } from "../../statefun/testing/program.js";

/** A text in everything that a token protects, and in nothing else. */
export const SECRET = "secret-merchant";
export const TOKEN = "a-long-enough-token";

/** The parts of an answer that tell whether a client got in. */
export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** One of our servers, and how to see that a client got in. */
export interface Door {
  readonly ask: (
    method: string,
    target: string,
    headers: Readonly<Record<string, string | readonly string[]>>,
    body: string,
  ) => Promise<Answered>;
  /** Where it listens, unless it is asked without a socket. */
  readonly port?: number;
  /** What has happened beyond the door. */
  readonly effects: () => unknown[];
  /** The routes as they are properly spelled, with what is sent to them. */
  readonly routes: readonly { readonly method: string; readonly path: string; readonly open?: true }[];
  readonly body: string;
  /** Headers without which no body is read, whatever client sends it. */
  readonly headers: Readonly<Record<string, string>>;
}

const cleanUp: (() => void | Promise<unknown>)[] = [];

/** Closes all doors that were opened. For `afterEach`. */
export async function closeDoors(): Promise<void> {
  closeApps();
  for (const clean of cleanUp.splice(0)) await clean();
}

/** Asks over a socket, with the target unchanged. */
function asker(port: number): Door["ask"] {
  const kept = new Agent({ keepAlive: true, maxSockets: 8 });
  cleanUp.push(() => kept.destroy());
  const ask = (
    agent: Agent | false,
    [method, target, headers, body]: Readonly<Parameters<Door["ask"]>>,
  ): Promise<Answered> =>
    new Promise((resolve, reject) => {
      const sends = body !== "" && !["GET", "HEAD", "OPTIONS", "TRACE"].includes(method);
      const all = {
        // It says so whatever the target says.
        host: "localhost:{port}",
        ...headers,
        ...(sends && { "content-length": String(Buffer.byteLength(body)) }),
      };
      // As an array, since Node takes no object with two hosts.
      const lines = Object.entries(all).flatMap(([name, value]) =>
        [value].flat().flatMap((one) => [name, one.replaceAll("{port}", String(port))]),
      );
      const sent = request(
        { agent, host: "127.0.0.1", port, method, path: target.replace("{at}", `localhost:${port}`), headers: lines },
        (response) => {
          let text = "";
          response.on("data", (chunk: Buffer) => (text += chunk.toString()));
          response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, body: text }));
          response.on("error", reject);
        },
      );
      sent.on("error", (error: NodeJS.ErrnoException) => {
        // A connection that was kept, and that its server has closed meanwhile, says nothing of this request.
        if (error.code === "ECONNRESET" && sent.reusedSocket) resolve(ask(false, [method, target, headers, body]));
        // What is not a request at all is answered with a body even where the method allows none, and the connection
        // ends.
        else if (/^HPE_|^ECONNRESET$/.test(error.code ?? "")) resolve({ status: 400, headers: {}, body: "" });
        else reject(error);
      });
      sent.end(sends ? body : undefined);
    });
  return (...asked) => ask(kept, asked);
}

async function listen(listener: RequestListener): Promise<number> {
  const server: Server = createServer(listener);
  cleanUp.push(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

function intake(): ReturnType<typeof httpDoor> & { readonly effects: unknown[] } {
  const effects: unknown[] = [];
  const index = new DecisionIndex(10);
  const decision = Decision.fromPartial({
    evidence: {
      transaction: { accountId: "a", transactionId: "t", merchantId: SECRET },
      account: { seq: 1n },
      scoring: { outcome: Outcome.REVIEW, modelId: SECRET },
    },
  });
  index.onCommitted({ partition: 0, offset: 1n, value: Buffer.from(Any.encode(pack(Decision, decision)).finish()) });
  const app = httpDoor({
    writer: { write: (records) => (effects.push(...records), Promise.resolve()), queuedBytes: 0, stalledMs: 0 },
    overload: () => undefined,
    shortage: () => undefined,
    index,
    labels: new LabelIndex(10),
    models: { stamps: UNSTAMPED, newest: undefined },
    metrics: intakeMetrics({
      queuedBytes: () => 0,
      lag: () => Promise.resolve([]),
      backlogSeconds: () => undefined,
      room: () => undefined,
      consumers: () => [],
    }).metrics,
    maxAheadMs: 300_000,
    logger: pino({ level: "silent" }),
    tokens: { transactions: TOKEN, labels: `${TOKEN}-for-labels` },
    names: { hosts: [], variable: "INTAKE_HOSTS" },
    health: () => [],
    notReady: () => [],
    scrape: () => Promise.resolve({ contentType: "text/plain", text: "open" }),
  });
  cleanUp.push(() => app.close());
  return Object.assign(app, { effects });
}

const INTAKE: Pick<Door, "routes" | "body" | "headers"> = {
  routes: [
    { method: "POST", path: "/v1/transactions" },
    { method: "POST", path: "/v1/labels" },
    { method: "GET", path: "/v1/accounts/a/decisions/t" },
    { method: "GET", path: "/v1/labels/l" },
    { method: "GET", path: "/healthz", open: true },
    { method: "GET", path: "/readyz", open: true },
    { method: "GET", path: "/metrics", open: true },
    { method: "GET", path: "/openapi.json", open: true },
  ],
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    transactionId: "t",
    accountId: "a",
    merchantId: "m",
    amountMinor: 1,
    currency: "EUR",
    eventTimeMs: 1_700_000_000_000,
  }),
};

/** Those that a token guards, by name; each starts its server anew. */
export const DOORS: Readonly<Record<string, () => Promise<Door>>> = {
  "the intake": () => {
    const app = intake();
    return Promise.resolve({
      ...INTAKE,
      effects: () => app.effects,
      ask: async (method, url, headers, payload) => {
        // It parses a target itself before Fastify sees it: what is not a path is asked over a socket, below.
        if (!/^\/(?![/\\])/.test(url)) return { status: 400, headers: {}, body: "" };
        const response = await app.inject({
          method: method as "GET",
          url,
          headers: headers as Readonly<Record<string, string>>,
          payload,
        });
        return { status: response.statusCode, headers: response.headers, body: response.payload };
      },
    });
  },
  "the intake, over a socket": async () => {
    const app = intake();
    await app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = app.server.address() as AddressInfo;
    return { ...INTAKE, effects: () => app.effects, port, ask: asker(port) };
  },
  "the web app": async () => {
    const { port, asked, traced } = await startApp({ token: TOKEN, failures: true });
    return {
      port,
      ask: asker(port),
      effects: () => [...asked, ...traced],
      routes: [
        ...["meta", "alerts", "alerts/a/1", "series", "quality", "verdicts", "stream"].map((name) => ({
          method: "GET",
          path: `/api/${name}`,
        })),
        { method: "GET", path: "/trace/a/t" },
        { method: "POST", path: "/api/verdicts" },
        { method: "POST", path: "/api/failures/taskmanager" },
        ...["/", "/pipeline", "/quality", "/audit", "/alerts/a/1", "/assets/app.0.js", "/healthz", "/metrics"].map(
          (path) => ({
            method: "GET",
            path,
            open: true as const,
          }),
        ),
      ],
      headers: { "content-type": "application/json", "x-dashboard-action": "1" },
      body: JSON.stringify({ accountId: "a", transactionId: "t1", verdict: "FRAUD", note: "", analyst: "eve" }),
    };
  },
  "the failure helper": async () => {
    const killed: string[] = [];
    const helper = await startFailureHelper({ kill: (part) => void killed.push(part), token: TOKEN });
    cleanUp.push(() => helper.close());
    const port = Number(new URL(helper.env.DASHBOARD_FAILURES).port);
    return {
      port,
      ask: asker(port),
      effects: () => killed,
      routes: [
        { method: "GET", path: "/parts" },
        ...KILLABLE.map((part) => ({ method: "POST", path: `/kill/${part}` })),
        { method: "GET", path: "/healthz", open: true },
      ],
      headers: {},
      body: "",
    };
  },
};

/** It needs no token: only pages in a browser are kept out. */
export async function functionServer(): Promise<Door> {
  const called: unknown[] = [];
  const statefun = nodeHttpListener(
    new RequestReplyHandler(programFunctions(["test/first"]), {
      maxBodyBytes: 1_000,
      // Whatever gets far enough to be decoded would have been called, had it been a call.
      logger: {
        error: (details) => {
          if ((details as { status?: number }).status === 400) called.push(details);
        },
      },
    }),
  );
  const port = await listen(
    functionDoor({
      statefun,
      names: { hosts: [], variable: "FUNCTIONS_HOSTS" },
      health: { open: true },
      scrape: () => Promise.resolve({ contentType: "text/plain", text: "open" }),
    }),
  );
  return {
    ask: asker(port),
    effects: () => called,
    routes: [
      { method: "POST", path: "/statefun" },
      { method: "POST", path: "/statefun/batch" },
      { method: "GET", path: "/healthz", open: true },
      { method: "GET", path: "/metrics", open: true },
    ],
    headers: { "content-type": "application/octet-stream" },
    body: "noise",
  };
}

/** What a load's k6 asks. */
export async function loadDoor(): Promise<Door> {
  const judged: unknown[] = [];
  const port = await listen(k6Door(() => Promise.resolve({ judgement: judged.push(SECRET) })));
  return {
    port,
    ask: asker(port),
    effects: () => judged,
    routes: [{ method: "POST", path: "/verdict" }],
    headers: {},
    body: "",
  };
}
