import { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, fastify, LogController } from "fastify";

import { CONNECTION_TIMES, limitConnections } from "../../http/connections/limit-connections.js";
import { answerClientError } from "../../http/client-error.js";
import { problemDetails } from "../../http/problem-details.js";
import { sendProblem } from "../../http/problem-reply.js";
import type { OwnNames } from "../../http/strangers.js";
import { refusesStranger } from "../../http/strangers-reply.js";
import { type ConsumerHealth, healthAnswer } from "../../kafka/consumer-health.js";
import { HeldBytes, type Holding } from "../../statefun/held-bytes.js";
import type { LabelIndex } from "../label-index.js";
import type { IntakeMetrics } from "../metrics.js";
import { authorisation, type Scope, type Tokens } from "./authorisation.js";
import { MAX_BODY_BYTES } from "./body.js";
import { decisionJson } from "./decision-json.js";
import { sendError, TurnedAwayError } from "./door-errors.js";
import { openApi } from "./openapi.js";
import { postInputs, type PostOptions, requirePipeline, requireRoom, requireWriter } from "./post-inputs.js";
import { receiveBody, requireReadable } from "./received-body.js";
import { waitOption } from "./wait-option.js";
import { WaitSlots } from "./wait-slots.js";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Whom the route answers. Default: clients that show the token for transactions. */
    scope?: Scope;
  }
  interface FastifyRequest {
    /** The name in which the client may label; `undefined`: it speaks for others. */
    labelsAs?: string | undefined;
    /** What its body takes of the room for all. */
    holding?: Holding | undefined;
  }
}

/** Clients also keep connections that they don't use: each may hold one for {@link KEEP_ALIVE_MS}. */
const MAX_CONNECTIONS = 1_024;
/** Of the connections, so many may wait for news: the others are for those who want anything else. */
const WAITING_SHARE = 0.75;
/** The most requests open on one connection: beyond this it is not read. */
const MAX_OPEN_REQUESTS = 8;
const KEEP_ALIVE_MS = 75_000;
/** Bytes of bodies, of all requests together, that are being received or worked on. */
const MAX_HELD_BYTES = 32 * MAX_BODY_BYTES;

export interface HttpDoorOptions extends PostOptions {
  /** The outcomes of labels. */
  readonly labels?: LabelIndex;
  readonly metrics: IntakeMetrics;
  readonly logger: FastifyBaseLogger;
  /** 1,024 unless set. */
  readonly maxConnections?: number;
  /** 32 MiB unless set. */
  readonly maxHeldBytes?: number;
  readonly tokens: Tokens;
  /** The names by which it may be asked. */
  readonly names: OwnNames;
  /** The health of everything that reads Kafka here. */
  readonly health: () => readonly ConsumerHealth[];
  /** What is missing before inputs can be taken; empty when all is there. */
  readonly notReady: () => readonly string[];
  /** Prometheus' text, and its content type. */
  readonly scrape: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

/**
 * The HTTP door, ready to listen. It uses Fastify, as the web app does: with Express a single transaction takes more
 * than twice the processor time (`npm run bench -- frameworks`).
 */
export function httpDoor(options: HttpDoorOptions): FastifyInstance {
  const { index, labels, metrics, tokens, names, health, notReady, scrape, maxConnections = MAX_CONNECTIONS } = options;
  const app = fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: CONNECTION_TIMES.requestTimeout,
    http: CONNECTION_TIMES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    routerOptions: { maxParamLength: 512 },
    // What goes wrong before a route is found, or before a request is read at all, is reported like everything else.
    frameworkErrors: (error, request, reply) => {
      if (!refusesStranger(request, reply, names)) void sendError(error, reply, options);
    },
    clientErrorHandler: answerClientError,
    return503OnClosing: false,
  });
  limitConnections(app.server, {
    connections: maxConnections,
    requests: MAX_OPEN_REQUESTS,
    onDropped: () => metrics.connectionDropped(),
  });
  const places = new WaitSlots(undefined, Math.floor(maxConnections * WAITING_SHARE));
  const held = new HeldBytes(options.maxHeldBytes ?? MAX_HELD_BYTES);
  app.removeAllContentTypeParsers();
  // Without `parseAs`, with which Fastify would keep each piece of a body separately, however small.
  app.addContentTypeParser("*", (request: FastifyRequest) =>
    receiveBody(request.raw, held, (holding) => (request.holding = holding)),
  );
  app.decorateRequest("holding", undefined);
  app.addHook("onResponse", (request, _, done) => {
    request.holding?.release();
    done();
  });
  app.addHook("onRequestAbort", (request, done) => {
    request.holding?.release();
    done();
  });
  let closing = false;
  app.addHook("preClose", (done) => {
    closing = true;
    done();
  });
  app.setErrorHandler((error, _, reply) => sendError(error, reply, options));
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      problemDetails(
        404,
        `there is no ${request.method} ${request.url.split("?", 1)[0]!.slice(0, 200)}; see /openapi.json`,
      ),
    ),
  );

  const authorise = authorisation(tokens);
  app.decorateRequest("labelsAs", undefined);
  app.addHook("onRequest", (request, reply, done) => {
    if (refusesStranger(request, reply, names)) return;
    if (closing)
      return void sendProblem(
        reply.header("connection", "close"),
        problemDetails(503, "this intake is stopping: send it again"),
      );
    // By the route that was found, never by how its path was written: only the router knows what a spelling means.
    // Whatever is not declared otherwise requires the token, even a path that leads nowhere.
    const authorised = authorise(request.routeOptions.config.scope ?? "transactions", request.headers.authorization);
    if (authorised.problem === undefined) {
      request.labelsAs = authorised.name;
      return done();
    }
    if (authorised.problem.status === 401) void reply.header("www-authenticate", "Bearer");
    void sendProblem(reply, authorised.problem);
  });

  for (const kind of ["transaction", "label"] as const) {
    // Before the body is read: while nothing is accepted, clients keep trying.
    // eslint-disable-next-line @typescript-eslint/require-await -- Fastify wants a promise or a callback
    const onRequest = async (): Promise<void> => {
      requireWriter(options);
      requireRoom(options);
      // Labels are taken however far behind the pipeline is: they are few and small, don't wait behind transactions,
      // and are needed most when a lot is going on.
      if (kind === "transaction") requirePipeline(options);
    };
    // eslint-disable-next-line @typescript-eslint/require-await -- as above
    const preParsing = async ({ headers }: FastifyRequest): Promise<void> => {
      requireReadable(headers);
    };
    app.post(`/v1/${kind}s`, { config: { scope: `${kind}s` }, onRequest, preParsing }, async (request, reply) => {
      const wait = kind === "transaction" ? waitOption(request.query as Record<string, unknown>) : undefined;
      await postInputs(kind, request, wait, reply, options, places);
    });
  }
  app.get("/v1/accounts/:account/decisions/:transaction", async (request, reply) => {
    const { account, transaction } = request.params as { account: string; transaction: string };
    const wait = waitOption(request.query as Record<string, unknown>);
    const known =
      wait === undefined
        ? index.find(account, transaction)
        : await waiting(places, request, (gone) => index.wait(account, transaction, { ...wait, gone }));
    if (known === undefined)
      return await sendProblem(
        reply,
        problemDetails(
          404,
          "no decision on this transaction is known: it was not sent, is not decided yet, or is older than the decisions that the intake keeps",
        ),
      );
    await reply.send(decisionJson(known));
  });
  app.get("/v1/labels/:label", { config: { scope: "labels" } }, async (request, reply) => {
    const { label } = request.params as { label: string };
    const wait = waitOption(request.query as Record<string, unknown>);
    const outcome =
      wait === undefined
        ? labels?.find(label)
        : await waiting(places, request, async (gone) => await labels?.wait(label, wait.timeoutMs, gone));
    if (outcome === undefined)
      return await sendProblem(
        reply,
        problemDetails(
          404,
          "nothing is known of this label: it was not sent, is not handled yet (that takes about a second), or is older than those that the intake keeps",
        ),
      );
    await reply.send(outcome);
  });
  const open = { config: { scope: "open" } } as const;
  app.get("/healthz", open, async (_, reply) => {
    const { status, body } = healthAnswer(health());
    await reply.code(status).send(body);
  });
  app.get("/readyz", open, async (_, reply) => {
    const missing = notReady();
    await reply
      .code(missing.length === 0 ? 200 : 503)
      .send({ status: missing.length === 0 ? "ready" : "not ready", missing, models: inForce(options.models) });
  });
  app.get("/metrics", open, async (_, reply) => {
    const { contentType, text } = await scrape();
    await reply.type(contentType).send(text);
  });
  // Written once: it is long.
  const document = JSON.stringify(
    openApi({
      withToken: tokens.transactions !== undefined || tokens.labels !== undefined || (tokens.people ?? []).length > 0,
    }),
  );
  app.get("/openapi.json", open, async (_, reply) => {
    await reply.type("application/json; charset=utf-8").send(document);
  });
  return app;
}

/** The models that it stamps now, for people; empty: the function server's default, and none. */
function inForce({ stamps, newest }: HttpDoorOptions["models"]): object | null {
  if (stamps === undefined) return null;
  return {
    model: { id: newest?.modelId ?? "", hash: stamps.modelHash.toString("hex") },
    challenger: { id: newest?.challengerId ?? "", hash: stamps.challengerHash.toString("hex") },
  };
}

/** Waits for news of one thing. @throws {TurnedAwayError} when too many do */
async function waiting<T>(
  places: WaitSlots,
  { raw }: FastifyRequest,
  wait: (gone: AbortSignal) => Promise<T>,
): Promise<T> {
  const place = places.take(raw);
  if (place === undefined)
    throw new TurnedAwayError("waiting", "too many requests are already waiting: ask without wait, or later", 1);
  try {
    return await wait(place.signal);
  } finally {
    place.free();
  }
}
