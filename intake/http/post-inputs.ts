import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";

import type { FastifyReply, FastifyRequest } from "fastify";

import { sendProblem } from "../../http/problem-reply.js";
import type { RecordWriter } from "../../kafka/record-writer.js";
import { type Admitted, admitJson, type InputKind } from "../admission.js";
import type { Overload } from "../backlog/backlog-gate.js";
import type { DecisionIndex, WaitFor } from "../decision-index.js";
import type { IntakeMetrics } from "../metrics.js";
import type { ModelsInForceIndex } from "../models-in-force.js";
import { reasonName, RefusedError } from "../problem.js";
import type { Shortage } from "../room/room-gate.js";
import { DOORS, validRecord } from "../topics.js";
import { type BodyItem, type Inputs, readBody } from "./body.js";
import { type DecisionJson, decisionJson } from "./decision-json.js";
import { TurnedAwayError } from "./door-errors.js";
import { namedProblem, type NamedProblem, refusalDetails } from "./problem-details.js";
import type { ReceivedBody } from "./received-body.js";
import type { WaitOption } from "./wait-option.js";
import type { WaitSlots } from "./wait-slots.js";

/** How much may wait for Kafka, over all requests. */
const MAX_QUEUED_BYTES = 4 * 1024 * 1024;
/** A broker that has not answered for this long is considered away. */
const STALLED_MS = 3_000;
/** After that a client is told to try again, whatever became of its input: repeats are recognised. */
const ACKNOWLEDGE_MS = 10_000;
/** This many inputs of a request take long enough to let others have a turn in between. */
const MANY = 200;

/** The outcome of one of many inputs. */
export type ItemResult =
  | ({ readonly index: number; readonly accountId: string; readonly id: string } & Outcome)
  | { readonly index: number; readonly status: "refused"; readonly problem: NamedProblem };

type Outcome =
  | { readonly status: "accepted" }
  | { readonly status: "decided"; readonly decision: DecisionJson }
  /** This id is known with different content. */
  | { readonly status: "conflict" };

/** @throws {TurnedAwayError} when Kafka lags or is away */
export function requireWriter({ writer }: PostOptions): void {
  if (writer.stalledMs > STALLED_MS) throw new TurnedAwayError("kafka", "Kafka does not answer", 1);
  if (writer.queuedBytes > MAX_QUEUED_BYTES)
    throw new TurnedAwayError("kafka", "Kafka is behind: too much waits for it", 1);
}

/** @throws {TurnedAwayError} when Kafka has no room: what came now might push out what is not decided */
export function requireRoom({ shortage }: PostOptions): void {
  const why = shortage();
  if (why !== undefined) throw new TurnedAwayError("room", why.cause, why.retryAfterSeconds);
}

/** @throws {TurnedAwayError} when what comes now would wait too long in Kafka, or it is not known yet what scores it */
export function requirePipeline({ overload, models }: PostOptions): void {
  if (models.stamps === undefined)
    throw new TurnedAwayError("kafka", "this intake has not read yet which models are in force", 1);
  const why = overload();
  if (why === undefined) return;
  throw new TurnedAwayError(
    "backlog",
    `the pipeline is overloaded or stands still: a transaction would wait about ${Math.ceil(why.backlogSeconds)} s, and beyond ${why.maxSeconds} s none is taken`,
    why.retryAfterSeconds,
  );
}

/** What {@link postInputs} works with. */
export interface PostOptions {
  readonly writer: Pick<RecordWriter, "write" | "queuedBytes" | "stalledMs">;
  /** Says that the pipeline is too far behind; undefined when it is not. */
  readonly overload: () => Overload | undefined;
  /** Says that Kafka has no room; undefined when it has. */
  readonly shortage: () => Shortage | undefined;
  readonly index: DecisionIndex;
  /** What transactions are stamped with. */
  readonly models: Pick<ModelsInForceIndex, "stamps" | "newest">;
  readonly metrics: Pick<IntakeMetrics, "admitted" | "refused">;
  readonly maxAheadMs: number;
}

/** Takes a request's inputs, and answers with what became of them. @param wait - for decisions on transactions */
export async function postInputs(
  kind: InputKind,
  request: FastifyRequest,
  wait: WaitOption | undefined,
  reply: FastifyReply,
  options: PostOptions,
  places: WaitSlots,
): Promise<void> {
  const { many, results: taken } = await takeInputs(kind, request, options);
  // While it waits, others have the room that its body took.
  request.body = undefined;
  request.holding?.release();
  // Without a place to wait it is as if no decision had come in time: what was accepted stays accepted.
  const place = wait && places.take(request.raw, taken.length);
  const waitFor = wait && place && { ...wait, sentNow: true, gone: place.signal };
  const results = await Promise.all(
    taken.map(async (one, at): Promise<ItemResult> => {
      if (one instanceof RefusedError) return { index: at, status: "refused", problem: refusalDetails(one) };
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
      namedProblem(409, "the account knows this transaction id with other content", "ID_CONFLICT", "transactionId"),
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

/** What is kept of an input once it is written. */
type Taken = Omit<Admitted, "value">;

/** Reads a request's inputs, and writes those that are admitted. */
async function takeInputs(
  kind: InputKind,
  request: FastifyRequest,
  options: PostOptions,
): Promise<Inputs<Taken | RefusedError>> {
  const body = request.body as ReceivedBody;
  const { many, results } = await readBody(body.bytes, body.lines, (item) =>
    admitItem(kind, item, request.labelsAs, options),
  );
  // What comes next takes as long again: others have their turn first.
  if (results.length >= MANY) await nextTurn();
  for (const one of results) if (!isAdmitted(one)) options.metrics.refused(kind, "http", reasonName(one.reason));
  await write(kind, results.filter(isAdmitted), options);
  const taken = results.map((one) =>
    isAdmitted(one) ? { accountId: one.accountId, id: one.id, contentHash: one.contentHash } : one,
  );
  return { many, results: taken };
}

const isAdmitted = (one: Admitted | RefusedError): one is Admitted => !(one instanceof RefusedError);

function admitItem(
  kind: InputKind,
  item: BodyItem,
  labelsAs: string | undefined,
  { maxAheadMs, models }: PostOptions,
): Admitted | RefusedError {
  try {
    if ("refused" in item) throw item.refused;
    return admitJson(
      kind,
      item.json,
      { newId: () => `http-${randomUUID()}`, labelsAs },
      { nowMs: Date.now(), maxAheadMs },
      models.stamps,
    );
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return error;
  }
}

/** @throws {TurnedAwayError} when Kafka does not acknowledge in time */
async function write(kind: InputKind, admitted: readonly Admitted[], { writer, metrics }: PostOptions): Promise<void> {
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
  { accountId, id, contentHash }: Taken,
  wait: WaitFor | undefined,
  index: DecisionIndex,
): Promise<Outcome> {
  if (wait === undefined) return { status: "accepted" };
  const known = await index.wait(accountId, id, wait);
  if (known === undefined) return { status: "accepted" };
  if (!known.decision.evidence!.transaction!.contentHash.equals(contentHash)) return { status: "conflict" };
  return { status: "decided", decision: decisionJson(known) };
}
