import type { ServerResponse } from "node:http";

import express, { type Express, type NextFunction, type Request, type Response } from "express";
import { ipKeyGenerator, rateLimit } from "express-rate-limit";
import helmet from "helmet";
import type { Logger } from "pino";

import { refuse } from "../../../http/problem-details.js";
import type { OwnNames } from "../../../http/strangers.js";
import { type ConsumerHealth, healthAnswer } from "../../../kafka/consumer-health.js";
import { type AlertFilter, NO_FILTER } from "../filter.js";
import type { Bundle } from "../bundle.js";
import type { Dashboard } from "../state/dashboard.js";
import type { SseHub } from "../state/sse-hub.js";
import type { Tracer } from "../tracer.js";
import type { AlertsPage, Meta } from "../wire.js";
import type { FailureMenu } from "./failures.js";
import { noStrangers, ownAction, readablePath, type Sessions } from "./guards.js";
import { jsonBody } from "./json-body.js";
import { showTrace } from "./trace-page.js";
import { giveVerdict, type VerdictDoorOptions } from "./verdict-door.js";

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

/** The web app's HTTP side. */
export function dashboardApp(options: AppOptions): Express {
  const { dashboard, hub, bundle, sessions, failures, names, logger, onRefused } = options;
  const app = express();
  app.disable("x-powered-by");
  app.set("query parser", "simple");
  app.use(readablePath);
  app.use(
    helmet({
      // No inline script or style, and nothing from anywhere else.
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          scriptSrc: ["'self'"],
          workerSrc: ["'self'"],
          styleSrc: ["'self'"],
          imgSrc: ["'self'", "data:"],
          connectSrc: ["'self'"],
          baseUri: ["'none'"],
          formAction: ["'none'"],
          frameAncestors: ["'none'"],
        },
      },
      // It is served by HTTP on loopback; a proxy in front of it sets this.
      strictTransportSecurity: false,
      referrerPolicy: { policy: "no-referrer" },
      xFrameOptions: { action: "deny" },
    }),
  );

  // By who is signed in: one address may be that of many, and whoever has no session gets no further anyway.
  const limited = (limit: number, what: string) =>
    rateLimit({
      windowMs: MINUTE_MS,
      limit,
      keyGenerator: (request) => sessions.of(request) ?? ipKeyGenerator(request.ip ?? ""),
      standardHeaders: "draft-8",
      legacyHeaders: false,
      handler: (_, response) => (onRefused(what), refuse(response, 429, `too many ${what}: wait a minute`)),
    });
  const own = ownAction(onRefused);
  const json = jsonBody(MAX_BODY_BYTES);

  // Each of the app's own pages is the same document, with nothing personal in it: a link from anywhere may lead
  // there.
  app.get(
    ["/", "/pipeline", "/quality", "/audit", "/alerts/:account/:seq"],
    noStrangers(names, onRefused, { navigation: true }),
    (_, response) => void response.setHeader("cache-control", "no-cache").type("html").send(bundle.html),
  );
  app.use(noStrangers(names, onRefused));
  app.get("/healthz", (_, response) => {
    const { status, body } = healthAnswer(options.health());
    response.status(status).json(body);
  });
  app.get("/metrics", async (_, response) => {
    const { contentType, text } = await options.scrape();
    response.type(contentType).send(text);
  });
  app.get("/assets/:name", (request, response) => {
    const asset = bundle.assets.get(request.params.name);
    if (asset === undefined) return refuse(response, 404, "no such file");
    // Its name holds its hash.
    response.setHeader("cache-control", "public, max-age=31536000, immutable").type(asset.type).send(asset.bytes);
  });
  // The right token always gets in: only wrong ones count. A limit that keeps out those who know it helps whoever wants
  // just that; and it is too long to be guessed.
  app.post(
    "/api/login",
    own,
    json,
    (request: Request, response: Response, next: NextFunction) => {
      const { token } = (request.body ?? {}) as { token?: unknown };
      const who = typeof token === "string" ? sessions.signIn(token) : undefined;
      if (who === undefined) return next();
      response.setHeader("set-cookie", sessions.cookie(sessions.issue(who, Date.now()))).json({ status: "ok" });
    },
    limited(10, "attempts to sign in"),
    (_: Request, response: Response) => refuse(response, 401, "that is not the token"),
  );
  app.post(
    "/api/logout",
    own,
    (_, response) => void response.setHeader("set-cookie", sessions.cookie("", 0)).json({ status: "ok" }),
  );

  // What comes below wants the token, whatever it is and however it is spelled: a path that leads nowhere too.
  app.use(sessions.guard);
  app.get("/api/stream", (request, response) => stream(request, response, hub, onRefused));
  app.use("/api", limited(6_000, "requests"));
  app.get("/api/meta", async (request, response) => {
    const answer: Meta = {
      ...options.meta,
      failureParts: failures === undefined ? null : await failures.parts(),
      withToken: sessions.needed,
      signedInAs: sessions.who(request)?.name ?? null,
    };
    response.json(answer);
  });
  app.get("/api/alerts", (request, response) => {
    const { limit, before } = request.query;
    const page = dashboard.alerts.query(filterOf(request.query), {
      limit: Math.min(number(limit, 500), MAX_PAGE),
      before: number(before, Number.MAX_SAFE_INTEGER),
    });
    const answer: AlertsPage = { position: hub.position, ...page };
    response.json(answer);
  });
  app.get("/api/alerts/:account/:seq", (request, response) => {
    const { account, seq } = request.params;
    const detail = dashboard.detail(`${account}/${seq}`);
    if (detail === undefined)
      return refuse(response, 404, "no such alert is kept here: it is older, or was never raised");
    response.json(detail);
  });
  app.get(
    "/api/series",
    (_, response) => void response.json({ pulses: dashboard.traffic.pulses, failures: dashboard.failures }),
  );
  app.get("/api/quality", (_, response) => void response.json(dashboard.quality(Date.now())));
  app.get(
    "/api/verdicts",
    (request, response) =>
      void response.json({
        rows: dashboard.verdicts.trail(Math.min(number(request.query["limit"], 500), MAX_PAGE)),
        fed: dashboard.verdicts.fed,
      }),
  );

  app.post("/api/verdicts", own, limited(120, "verdicts"), json, async (request: Request, response: Response) => {
    const answer = await giveVerdict(request.body, sessions.who(request)?.name, { dashboard, ...options.verdictDoor });
    if (answer.status !== 202) return refuse(response, answer.status, answer.error);
    options.onVerdict((request.body as { verdict: string }).verdict);
    response.status(202).json(answer);
  });
  app.post("/api/failures/:part", own, limited(30, "failures"), async (request, response) => {
    if (failures === undefined) return refuse(response, 404, "the failure menu is switched off");
    const { part } = request.params as { part: string };
    const failed = await failures.kill(part);
    if (failed !== undefined) return refuse(response, failed.status, failed.error);
    logger.warn({ part }, "killed from the failure menu");
    dashboard.onFailure({ part, atMs: Date.now() });
    response.status(202).json({ status: "killed" });
  });
  app.use("/api", (_, response) => refuse(response, 404, "there is no such thing here"));

  app.get("/trace/:account/:transaction", limited(20, "traces"), (request, response) =>
    showTrace(request, response, options.tracer),
  );
  app.use((_, response) => refuse(response, 404, "there is no such page"));
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) return next(error);
    const { status } = error as { status?: number };
    if (status !== undefined && status >= 400 && status < 500)
      return refuse(response, status, error instanceof Error ? error.message : "the request is malformed");
    logger.error(error, "a request failed");
    refuse(response, 500, "the web app failed on this request; its log says why");
  });
  return app;
}

function stream(request: Request, response: Response, hub: SseHub, onRefused: (why: string) => void): void {
  if (hub.size >= MAX_STREAMS) {
    onRefused("too many streams");
    return refuse(response.setHeader("retry-after", "5"), 503, "too many streams are open");
  }
  response.writeHead(200, {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  request.socket.setNoDelay(true);
  const raw: ServerResponse = response;
  // The browser's own header wins: it is newer than the page's address.
  const after = request.headers["last-event-id"] ?? request.query["after"];
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

function filterOf(query: Request["query"]): AlertFilter {
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
