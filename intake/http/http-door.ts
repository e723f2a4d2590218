import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";

import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from "fastify";

import { type OwnNames, stranger } from "../../http/strangers.js";
import { type ConsumerHealth, healthAnswer } from "../../kafka/consumer-health.js";
import type { RecordWriter } from "../../kafka/record-writer.js";
import { CONNECTION_TIMES, limitConnections } from "../../process/connections.js";
import { IntakeReason } from "../../protos/gen/fraud/v1/intake.js";
import { readBody as receiveBody } from "../../statefun/read-body.js";
import { type Admitted, admitJson, type InputKind } from "../admission.js";
import type { Overload } from "../backlog/backlog-gate.js";
import type { DecisionIndex, WaitFor } from "../decision-index.js";
import type { LabelIndex } from "../label-index.js";
import { type Format, formatOf } from "../media-type.js";
import type { IntakeMetrics, TurnedAwayReason } from "../metrics.js";
import { reasonName, RefusedError } from "../problem.js";
import { DOORS, validRecord } from "../topics.js";
import { authorisation, type Scope, type Tokens } from "./authorisation.js";
import { type BodyItem, MAX_BODY_BYTES, NDJSON_TYPES, readBody, TooManyItemsError } from "./body.js";
import { answerClientError } from "./client-error.js";
import {
  BrokenCodingError,
  CODINGS,
  codingsOf,
  decodeBody,
  DecodedTooLargeError,
  UnknownCodingError,
} from "./content-coding.js";
import { type DecisionJson, decisionJson } from "./decision-json.js";
import { openApi } from "./openapi.js";
import { type ProblemDetails, problemDetails, refusalDetails, sendProblem } from "./problem-details.js";
import { type WaitOption, waitOption } from "./wait-option.js";
import { WaitSlots } from "./wait-slots.js";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Whom the route answers. Default: clients that show the token for transactions. */
    scope?: Scope;
  }
}

/** How much may wait for Kafka, over all requests. */
const MAX_QUEUED_BYTES = 4 * 1024 * 1024;
/** A broker that has not answered for this long is considered away. */
const STALLED_MS = 3_000;
/** After that a client is told to try again, whatever became of its input: repeats are recognised. */
const ACKNOWLEDGE_MS = 10_000;
/** Clients also keep connections that they don't use: each may hold one for {@link KEEP_ALIVE_MS}. */
const MAX_CONNECTIONS = 1_024;
/** The most requests open on one connection: beyond this it is not read. */
const MAX_OPEN_REQUESTS = 64;
const KEEP_ALIVE_MS = 75_000;
/** This many inputs of a request take long enough to let others have a turn in between. */
const MANY = 200;

export interface HttpDoorOptions {
  readonly writer: Pick<RecordWriter, "write" | "queuedBytes" | "stalledMs">;
  /** Says that the pipeline is too far behind; undefined when it is not. */
  readonly overload: () => Overload | undefined;
  readonly index: DecisionIndex;
  /** The outcomes of labels. */
  readonly labels?: LabelIndex;
  readonly metrics: IntakeMetrics;
  readonly maxAheadMs: number;
  readonly logger: FastifyBaseLogger;
  /** 1,024 unless set. */
  readonly maxConnections?: number;
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

/** The outcome of one of many inputs. */
export type ItemResult =
  | ({ readonly index: number; readonly accountId: string; readonly id: string } & Outcome)
  | { readonly index: number; readonly status: "refused"; readonly problem: ProblemDetails };

type Outcome =
  | { readonly status: "accepted" }
  | { readonly status: "decided"; readonly decision: DecisionJson }
  /** This id is known with different content. */
  | { readonly status: "conflict" };

/** Kafka lags or is away, the pipeline is too far behind, or too many wait for news. */
class TurnedAwayError extends Error {
  override readonly name = "TurnedAwayError";
  constructor(
    readonly reason: TurnedAwayReason,
    message: string,
    readonly retryAfterSeconds: number,
  ) {
    super(message);
  }
}

/** A body's bytes, decoded, and how they are to be read. */
interface ReceivedBody {
  readonly bytes: Buffer;
  /** Whether each line is an input. */
  readonly lines: boolean;
}

/** A body has more bytes than a request may bring. */
class BodyTooLargeError extends Error {
  override readonly name = "BodyTooLargeError";
}

/** The client has gone away: there is no one left to answer. */
class AbortedError extends Error {
  override readonly name = "AbortedError";
  readonly statusCode = 400;
}

/** A body of a type that is not supported here. */
class UnknownFormatError extends Error {
  override readonly name = "UnknownFormatError";
}

/**
 * The HTTP door, ready to listen. It uses Fastify, where the rest of the project uses Express, with which a single
 * transaction takes more than twice the processor time (`npm run bench -- frameworks`).
 */
export function httpDoor(options: HttpDoorOptions): FastifyInstance {
  const { index, labels, metrics, tokens, names, health, notReady, scrape } = options;
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
      const refusal = stranger(request.raw, names);
      if (refusal === undefined) void onError(error, reply, options);
      else void sendProblem(reply, problemDetails(refusal.status, refusal.detail));
    },
    clientErrorHandler: answerClientError,
    return503OnClosing: false,
  });
  limitConnections(app.server, {
    connections: options.maxConnections ?? MAX_CONNECTIONS,
    requests: MAX_OPEN_REQUESTS,
    onDropped: () => metrics.connectionDropped(),
  });
  const places = new WaitSlots();
  app.removeAllContentTypeParsers();
  // Without `parseAs`, with which Fastify would keep each piece of a body separately, however small.
  app.addContentTypeParser("*", async ({ headers, raw }: FastifyRequest): Promise<ReceivedBody> => {
    const body = await receiveBody(raw, MAX_BODY_BYTES);
    if (body === "aborted") throw new AbortedError("the client has gone away");
    if (body === "too-large") throw new BodyTooLargeError(`the request has more than ${MAX_BODY_BYTES} bytes`);
    return {
      bytes: await decodeBody(body, codingsOf(headers["content-encoding"]), MAX_BODY_BYTES),
      lines: bodyFormat(headers["content-type"]) === "lines",
    };
  });
  let closing = false;
  app.addHook("preClose", (done) => {
    closing = true;
    done();
  });
  app.setErrorHandler((error, _, reply) => onError(error, reply, options));
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      problemDetails(
        404,
        `there is no ${request.method} ${request.url.split("?", 1)[0]!.slice(0, 200)}; see /openapi.json`,
      ),
    ),
  );

  const unauthorised = authorisation(tokens);
  app.addHook("onRequest", async (request, reply) => {
    const refusal = stranger(request.raw, names);
    if (refusal !== undefined) return await sendProblem(reply, problemDetails(refusal.status, refusal.detail));
    if (closing)
      return await sendProblem(
        reply.header("connection", "close"),
        problemDetails(503, "this intake is stopping: send it again"),
      );
    // By the route that was found, never by how its path was written: only the router knows what a spelling means.
    // Whatever is not declared otherwise requires the token, even a path that leads nowhere.
    const problem = unauthorised(request.routeOptions.config.scope ?? "transactions", request.headers.authorization);
    if (problem === undefined) return;
    if (problem.status === 401) void reply.header("www-authenticate", "Bearer");
    await sendProblem(reply, problem);
  });

  for (const kind of ["transaction", "label"] as const) {
    // Before the body is read: while nothing is accepted, clients keep trying.
    // eslint-disable-next-line @typescript-eslint/require-await -- Fastify wants a promise or a callback
    const onRequest = async (): Promise<void> => {
      requireWriter(options);
      // Labels are taken however far behind the pipeline is: they are few and small, don't wait behind transactions,
      // and are needed most when a lot is going on.
      if (kind === "transaction") requirePipeline(options);
    };
    // eslint-disable-next-line @typescript-eslint/require-await -- as above
    const preParsing = async ({ headers }: FastifyRequest): Promise<void> => {
      bodyFormat(headers["content-type"]);
      codingsOf(headers["content-encoding"]);
    };
    app.post(`/v1/${kind}s`, { config: { scope: `${kind}s` }, onRequest, preParsing }, async (request, reply) => {
      const wait = kind === "transaction" ? waitOption(request.query as Record<string, unknown>) : undefined;
      await answer(kind, request, wait, reply, options, places);
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
      .send({ status: missing.length === 0 ? "ready" : "not ready", missing });
  });
  app.get("/metrics", open, async (_, reply) => {
    const { contentType, text } = await scrape();
    await reply.type(contentType).send(text);
  });
  const document = openApi({ withToken: tokens.transactions !== undefined || tokens.labels !== undefined });
  app.get("/openapi.json", open, () => document);
  return app;
}

async function answer(
  kind: InputKind,
  request: FastifyRequest,
  wait: WaitOption | undefined,
  reply: FastifyReply,
  options: HttpDoorOptions,
  places: WaitSlots,
): Promise<void> {
  const body = request.body as ReceivedBody;
  const { many, results: admitted } = await readBody(body.bytes, body.lines, (item) => admitItem(kind, item, options));
  // What comes next takes as long again: others have their turn first.
  if (admitted.length >= MANY) await nextTurn();
  for (const one of admitted) if (!isAdmitted(one)) options.metrics.refused(kind, "http", reasonName(one.reason));
  await write(kind, admitted.filter(isAdmitted), options);
  // Without a place to wait it is as if no decision had come in time: what was accepted stays accepted.
  const place = wait && places.take(request.raw, admitted.length);
  const waitFor = wait && place && { ...wait, sentNow: true, gone: place.signal };
  const results = await Promise.all(
    admitted.map(async (one, at): Promise<ItemResult> => {
      if (!isAdmitted(one)) return { index: at, status: "refused", problem: refusalDetails(one) };
      return { index: at, accountId: one.accountId, id: one.id, ...(await outcomeOf(one, waitFor, options.index)) };
    }),
  ).finally(() => place?.free());

  if (many) {
    const refused = results.filter(({ status }) => status === "refused").length;
    return void (await reply.code(202).send({ accepted: results.length - refused, refused, results }));
  }
  const [result] = results as [ItemResult];
  if (result.status === "refused") return await sendProblem(reply, result.problem);
  if (result.status === "conflict")
    return await sendProblem(
      reply,
      problemDetails(409, "the account knows this transaction id with other content", "ID_CONFLICT", "transactionId"),
    );
  const { index: _, ...answered } = result;
  if (kind === "transaction")
    void reply.header(
      "location",
      `/v1/accounts/${encodeURIComponent(result.accountId)}/decisions/${encodeURIComponent(result.id)}`,
    );
  else void reply.header("location", `/v1/labels/${encodeURIComponent(result.id)}`);
  await reply.code(result.status === "decided" ? 200 : 202).send(answered);
}

const isAdmitted = (one: Admitted | RefusedError): one is Admitted => !(one instanceof RefusedError);

function admitItem(kind: InputKind, item: BodyItem, { maxAheadMs }: HttpDoorOptions): Admitted | RefusedError {
  try {
    if ("refused" in item) throw item.refused;
    return admitJson(kind, item.json, { newId: () => `http-${randomUUID()}` }, { nowMs: Date.now(), maxAheadMs });
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return error;
  }
}

/** @throws {TurnedAwayError} when Kafka lags or is away */
function requireWriter({ writer }: HttpDoorOptions): void {
  if (writer.stalledMs > STALLED_MS) throw new TurnedAwayError("kafka", "Kafka does not answer", 1);
  if (writer.queuedBytes > MAX_QUEUED_BYTES)
    throw new TurnedAwayError("kafka", "Kafka is behind: too much waits for it", 1);
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

/** @throws {TurnedAwayError} when what comes now would wait too long in Kafka */
function requirePipeline({ overload }: HttpDoorOptions): void {
  const why = overload();
  if (why === undefined) return;
  throw new TurnedAwayError(
    "backlog",
    `the pipeline is overloaded or stands still: a transaction would wait about ${Math.ceil(why.backlogSeconds)} s, and beyond ${why.maxSeconds} s none is taken`,
    why.retryAfterSeconds,
  );
}

/** @throws {TurnedAwayError} when Kafka does not acknowledge in time */
async function write(
  kind: InputKind,
  admitted: readonly Admitted[],
  { writer, metrics }: HttpDoorOptions,
): Promise<void> {
  if (admitted.length === 0) return;
  const end = new AbortController();
  const written = writer.write(admitted.map((one) => validRecord(DOORS[kind], one)));
  try {
    await Promise.race([
      written,
      delay(ACKNOWLEDGE_MS, undefined, { signal: end.signal }).then(() => {
        throw new TurnedAwayError(
          "kafka",
          "Kafka has not acknowledged this in time; it may yet. Send it again with the same id: a repetition is recognised",
          5,
        );
      }),
    ]);
  } catch (error) {
    written.catch(() => undefined);
    if (error instanceof TurnedAwayError) throw error;
    throw new TurnedAwayError(
      "kafka",
      "Kafka has not acknowledged this; it may have it. Send it again with the same id: a repetition is recognised",
      5,
    );
  } finally {
    end.abort();
  }
  metrics.admitted(kind, "http", admitted.length);
}

async function outcomeOf(
  { accountId, id, contentHash }: Admitted,
  wait: WaitFor | undefined,
  index: DecisionIndex,
): Promise<Outcome> {
  if (wait === undefined) return { status: "accepted" };
  const known = await index.wait(accountId, id, wait);
  if (known === undefined) return { status: "accepted" };
  if (!known.decision.evidence!.transaction!.contentHash.equals(contentHash)) return { status: "conflict" };
  return { status: "decided", decision: decisionJson(known) };
}

/** @throws {UnknownFormatError} */
function bodyFormat(contentType: string | undefined): Extract<Format, "json" | "lines"> {
  const format = contentType === undefined ? "unknown" : formatOf(contentType);
  if (format !== "json" && format !== "lines")
    throw new UnknownFormatError(
      `send one of these content types: application/json, or any that ends in +json; ${NDJSON_TYPES.join(", ")}`,
    );
  return format;
}

async function onError(error: unknown, reply: FastifyReply, { metrics, logger }: HttpDoorOptions): Promise<void> {
  if (error instanceof RefusedError) return await sendProblem(reply, refusalDetails(error));
  if (error instanceof BodyTooLargeError)
    // The rest of the body will never be read, so its connection cannot be used again.
    return await sendProblem(reply.header("connection", "close"), problemDetails(413, error.message));
  if (error instanceof TooManyItemsError || error instanceof DecodedTooLargeError)
    return await sendProblem(reply, problemDetails(413, error.message));
  if (error instanceof UnknownFormatError) return await sendProblem(reply, problemDetails(415, error.message));
  if (error instanceof UnknownCodingError)
    return await sendProblem(reply.header("accept-encoding", CODINGS), problemDetails(415, error.message));
  if (error instanceof BrokenCodingError)
    return await sendProblem(reply, refusalDetails(new RefusedError(IntakeReason.UNREADABLE, error.message)));
  if (error instanceof TurnedAwayError) {
    metrics.turnedAway(error.reason);
    return await sendProblem(
      reply.header("retry-after", String(error.retryAfterSeconds)),
      problemDetails(429, error.message),
    );
  }
  const { statusCode = 500, code } = error as { statusCode?: number; code?: string };
  if (code === "FST_ERR_BAD_URL")
    return await sendProblem(
      reply,
      problemDetails(400, "the path holds a % that begins no escape of UTF-8: write %25 for the character itself"),
    );
  if (statusCode === 413)
    return await sendProblem(reply, problemDetails(413, `the request has more than ${MAX_BODY_BYTES} bytes`));
  if (statusCode >= 400 && statusCode < 500)
    return await sendProblem(
      reply,
      problemDetails(statusCode, error instanceof Error ? error.message : "the request is malformed"),
    );
  logger.error(error, "a request failed");
  await sendProblem(reply, problemDetails(500, "the intake failed on this request; its log says why"));
}
