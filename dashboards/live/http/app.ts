import { createHash } from "node:crypto";

import rateLimit from "@fastify/rate-limit";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import type { Logger } from "pino";

import { answerClientError } from "../../../http/client-error.js";
import { CLIENTS_THAT_WAIT, CONNECTION_TIMES, limitConnections } from "../../../http/connections/limit-connections.js";
import { problemDetails } from "../../../http/problem-details.js";
import { prepareProblem, sendPrepared, sendProblem } from "../../../http/problem-reply.js";
import type { OwnNames } from "../../../http/strangers.js";
import { refusesStranger } from "../../../http/strangers-reply.js";
import { type ConsumerHealth, healthAnswer } from "../../../kafka/consumer-health.js";
import { type AlertFilter, NO_FILTER } from "../filter.js";
import type { Bundle } from "../bundle.js";
import type { Dashboard } from "../state/dashboard.js";
import type { SseHub } from "../state/sse-hub.js";
import type { Tracer } from "../tracer.js";
import type { AlertsPage, Meta } from "../wire.js";
import type { FailureMenu } from "./failures.js";
import { doorkeeper, ownAction, type Sessions } from "./guards.js";
import { jsonBody } from "./json-body.js";
import { pageHeaders } from "./page-headers.js";
import { showTrace } from "./trace-page.js";
import { giveVerdict, type VerdictDoorOptions } from "./verdict-door.js";

/** Streams hold one each; what else there is has about as many. */
const MAX_CONNECTIONS = 4_096;
const KEEP_ALIVE_MS = 5_000;
/** Node bounds a head. */
const MAX_PARAM_LENGTH = 16 * 1024;
const MAX_STREAMS = 2_000;
const MAX_PAGE = 2_000;
const MAX_BODY_BYTES = 8 * 1024;
const MINUTE_MS = 60_000;

export interface AppOptions {
  readonly dashboard: Dashboard;
  readonly hub: SseHub;
  readonly bundle: Bundle;
  readonly sessions: Sessions;
  readonly failures: FailureMenu | undefined;
  readonly tracer: Pick<Tracer, "trace">;
  readonly meta: Omit<Meta, "failureParts" | "withToken" | "signedInAs">;
  readonly verdictDoor: Omit<VerdictDoorOptions, "dashboard">;
  /** Under which names it may be asked. */
  readonly names: OwnNames;
  /** Of all that reads Kafka here. */
  readonly health: () => readonly ConsumerHealth[];
  readonly scrape: () => Promise<{ readonly contentType: string; readonly text: string }>;
  readonly onVerdict: (verdict: string) => void;
  readonly onRefused: (why: string) => void;
  readonly logger: Logger;
}

const NO_FILE = prepareProblem(404, "no such file");
const NO_ALERT = prepareProblem(404, "no such alert is kept here: it is older, or was never raised");
const NO_SUCH_THING = prepareProblem(404, "there is no such thing here");
const NO_PAGE = prepareProblem(404, "there is no such page");
const NO_FAILURES = prepareProblem(404, "the failure menu is switched off");
const WRONG_TOKEN = prepareProblem(401, "that is not the token");
const TOO_MANY_STREAMS = prepareProblem(503, "too many streams are open");
const BAD_PATH = prepareProblem(
  400,
  "the path holds a % that begins no escape of UTF-8: write %25 for the character itself",
);
const FAILED = prepareProblem(500, "the web app failed on this request; its log says why");

/** Its own pages are the same document, with nothing personal in it: a link from anywhere may lead there. */
const PAGES = ["/", "/pipeline", "/quality", "/audit", "/alerts/:account/:seq"];
const PAGE = { config: { open: true, linked: true } } as const;
const OPEN = { config: { open: true } } as const;

/**
 * The web app's HTTP side, ready to listen. What refuses comes first, and takes nothing that it does not need: most of
 * what a flood costs is what is made for each of its requests.
 */
export async function dashboardApp(options: AppOptions): Promise<FastifyInstance> {
  const { dashboard, hub, bundle, sessions, failures, names, logger, onRefused } = options;
  const headers = pageHeaders();
  const app = fastify({
    requestTimeout: CONNECTION_TIMES.requestTimeout,
    http: CONNECTION_TIMES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH, caseSensitive: false, ignoreTrailingSlash: true },
    // What goes wrong before a route is found.
    frameworkErrors: (error, request, reply) => {
      void reply.headers(headers);
      if (refusesStranger(request, reply, names, { onRefused })) return;
      if (error.code === "FST_ERR_BAD_URL") void sendPrepared(reply, BAD_PATH);
      else answerError(error, reply);
    },
    clientErrorHandler: answerClientError,
    forceCloseConnections: true,
    return503OnClosing: false,
  });
  limitConnections(app.server, { connections: MAX_CONNECTIONS, ...CLIENTS_THAT_WAIT });
  const answerError = (error: unknown, reply: FastifyReply): void => {
    const { statusCode } = error as { statusCode?: number };
    if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
      const detail = error instanceof Error ? error.message : "the request is malformed";
      return void sendProblem(reply, problemDetails(statusCode, detail));
    }
    logger.error(error, "a request failed");
    void sendPrepared(reply, FAILED);
  };
  app.setErrorHandler((error, _, reply) => answerError(error, reply));
  app.setNotFoundHandler((_, reply) => void sendPrepared(reply, NO_PAGE));
  app.removeAllContentTypeParsers();
  // Only the routes that want a body read it.
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  const admit = doorkeeper(names, sessions, onRefused);
  app.addHook("onRequest", (_, reply, done) => {
    void reply.headers(headers);
    done();
  });
  app.addHook("onRequest", admit);

  await app.register(rateLimit, { global: false });
  // By who is signed in: one address may be that of many, and whoever has no session gets no further anyway.
  const limit = (max: number, what: string) => {
    const count = app.createRateLimit({
      max,
      timeWindow: MINUTE_MS,
      keyGenerator: (request) => sessions.of(request) ?? rateLimit.normalizeIP(request.ip ?? ""),
    });
    const problem = prepareProblem(429, `too many ${what}: wait a minute`);
    /** Refuses a request that is one too many. @returns whether it did */
    return async (request: FastifyRequest, reply: FastifyReply): Promise<boolean> => {
      const counted = await count(request);
      if (counted.isAllowed || !counted.isExceeded) return false;
      onRefused(what);
      void sendPrepared(reply.header("retry-after", counted.ttlInSeconds), problem);
      return true;
    };
  };
  const limited = (max: number, what: string) => {
    const refuses = limit(max, what);
    return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => void (await refuses(request, reply));
  };
  const own = ownAction(onRefused);
  const json = jsonBody(MAX_BODY_BYTES);

  const etag = `"${createHash("sha256").update(bundle.html).digest("base64url")}"`;
  const document = { "cache-control": "no-cache", "content-type": "text/html; charset=utf-8", etag };
  for (const page of PAGES)
    app.get(page, PAGE, (request, reply) => {
      void reply.headers(document);
      if (request.headers["if-none-match"]?.includes(etag) === true) void reply.code(304).send();
      else void reply.send(bundle.html);
    });
  app.get("/healthz", OPEN, (_, reply) => {
    const { status, body } = healthAnswer(options.health());
    void reply.code(status).send(body);
  });
  app.get("/metrics", OPEN, async (_, reply) => {
    const { contentType, text } = await options.scrape();
    await reply.type(contentType).send(text);
  });
  app.get("/assets/:name", OPEN, (request, reply) => {
    const asset = bundle.assets.get((request.params as { name: string }).name);
    if (asset === undefined) return void sendPrepared(reply, NO_FILE);
    // Its name holds its hash.
    void reply.header("cache-control", "public, max-age=31536000, immutable").type(asset.type).send(asset.bytes);
  });
  // The right token always gets in: only wrong ones count. A limit that keeps out those who know it helps whoever wants
  // just that; and it is too long to be guessed.
  const guessesTooOften = limit(10, "attempts to sign in");
  app.post("/api/login", { ...OPEN, onRequest: own, preHandler: json }, async (request, reply) => {
    const { token } = (request.body ?? {}) as { token?: unknown };
    const who = typeof token === "string" ? sessions.signIn(token) : undefined;
    if (who !== undefined)
      return void reply.header("set-cookie", sessions.cookie(sessions.issue(who, Date.now()))).send({ status: "ok" });
    if (!(await guessesTooOften(request, reply))) void sendPrepared(reply, WRONG_TOKEN);
  });
  app.post(
    "/api/logout",
    { ...OPEN, onRequest: own },
    (_, reply) => void reply.header("set-cookie", sessions.cookie("", 0)).send({ status: "ok" }),
  );

  // What comes below wants the token.
  app.get("/api/stream", (request, reply) => stream(request, reply, hub, onRefused));
  app.get("/trace/:account/:transaction", { onRequest: limited(20, "traces") }, (request, reply) =>
    showTrace(request, reply, options.tracer),
  );
  const routes = (api: FastifyInstance): void => {
    api.addHook("onRequest", limited(6_000, "requests"));
    api.setNotFoundHandler((_, reply) => void sendPrepared(reply, NO_SUCH_THING));
    api.get("/meta", async (request, reply) => {
      const answer: Meta = {
        ...options.meta,
        failureParts: failures === undefined ? null : await failures.parts(),
        withToken: sessions.needed,
        signedInAs: sessions.who(request)?.name ?? null,
      };
      await reply.send(answer);
    });
    api.get("/alerts", (request, reply) => {
      const query = request.query as Query;
      const page = dashboard.alerts.query(filterOf(query), {
        limit: Math.min(number(query["limit"], 500), MAX_PAGE),
        before: number(query["before"], Number.MAX_SAFE_INTEGER),
      });
      const answer: AlertsPage = { position: hub.position, ...page };
      void reply.send(answer);
    });
    api.get("/alerts/:account/:seq", (request, reply) => {
      const { account, seq } = request.params as { account: string; seq: string };
      const detail = dashboard.detail(`${account}/${seq}`);
      if (detail === undefined) void sendPrepared(reply, NO_ALERT);
      else void reply.send(detail);
    });
    api.get(
      "/series",
      (_, reply) => void reply.send({ pulses: dashboard.traffic.pulses, failures: dashboard.failures }),
    );
    api.get("/quality", (_, reply) => void reply.send(dashboard.quality(Date.now())));
    api.get(
      "/verdicts",
      (request, reply) =>
        void reply.send({
          rows: dashboard.verdicts.trail(Math.min(number((request.query as Query)["limit"], 500), MAX_PAGE)),
          fed: dashboard.verdicts.fed,
        }),
    );
    const asVerdict = { onRequest: [own, limited(120, "verdicts")], preHandler: json };
    api.post("/verdicts", asVerdict, async (request, reply) => {
      const answer = await giveVerdict(request.body, sessions.who(request)?.name, {
        dashboard,
        ...options.verdictDoor,
      });
      if (answer.status !== 202) return void sendProblem(reply, problemDetails(answer.status, answer.error));
      options.onVerdict((request.body as { verdict: string }).verdict);
      void reply.code(202).send(answer);
    });
    api.post("/failures/:part", { onRequest: [own, limited(30, "failures")] }, async (request, reply) => {
      if (failures === undefined) return void sendPrepared(reply, NO_FAILURES);
      const { part } = request.params as { part: string };
      const failed = await failures.kill(part);
      if (failed !== undefined) return void sendProblem(reply, problemDetails(failed.status, failed.error));
      logger.warn({ part }, "killed from the failure menu");
      dashboard.onFailure({ part, atMs: Date.now() });
      void reply.code(202).send({ status: "killed" });
    });
  };
  await app.register(
    (api, _, done) => {
      routes(api);
      done();
    },
    { prefix: "/api" },
  );
  await app.ready();
  return app;
}

function stream(request: FastifyRequest, reply: FastifyReply, hub: SseHub, onRefused: (why: string) => void): void {
  if (hub.size >= MAX_STREAMS) {
    onRefused("too many streams");
    return void sendPrepared(reply.header("retry-after", "5"), TOO_MANY_STREAMS);
  }
  const { raw } = reply;
  reply.hijack();
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  if (request.method === "HEAD") return void raw.end();
  request.socket.setNoDelay(true);
  // The browser's own header wins: it is newer than the page's address.
  const after = request.headers["last-event-id"] ?? (request.query as Query)["after"];
  const leave = hub.connect(
    {
      bufferedBytes: () => raw.writableLength,
      write: (bytes) => void raw.write(bytes),
      onceTaken: (then) => void (raw.writableNeedDrain ? raw.once("drain", then) : setImmediate(then)),
      drop: () => void raw.destroy(),
    },
    typeof after === "string" ? after : undefined,
  );
  raw.on("close", leave);
}

/** What stands behind a path's `?`: a key that stands there more than once is no text, and so is not read. */
type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

function filterOf(query: Query): AlertFilter {
  const one = <T extends string>(value: unknown, allowed: readonly T[], otherwise: T): T =>
    allowed.find((name) => name === value) ?? otherwise;
  const text = (value: unknown): string => (typeof value === "string" ? value.slice(0, 200) : "");
  return {
    text: text(query["text"]),
    minScore: number(query["minScore"], 0),
    reason: text(query["reason"]),
    status: one(query["status"], ["all", "untriaged", "fraud", "legitimate", "open"], NO_FILTER.status),
    kind: one(query["kind"], ["all", "opened", "escalated"], NO_FILTER.kind),
  };
}

function number(value: unknown, otherwise: number): number {
  return typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : otherwise;
}
