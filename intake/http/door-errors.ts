import type { FastifyBaseLogger, FastifyReply } from "fastify";

import { IntakeReason } from "../../protos/gen/fraud/v1/intake.js";
import type { IntakeMetrics, TurnedAwayReason } from "../metrics.js";
import { RefusedError } from "../problem.js";
import { MAX_BODY_BYTES, TooManyItemsError } from "./body.js";
import { BrokenCodingError, CODINGS, DecodedTooLargeError, UnknownCodingError } from "../../http/content-coding.js";
import { problemDetails } from "../../http/problem-details.js";
import { sendProblem } from "../../http/problem-reply.js";
import { refusalDetails } from "./problem-details.js";

/** Kafka lags, is away or has no room, the pipeline is too far behind, or too many wait for news. */
export class TurnedAwayError extends Error {
  override readonly name = "TurnedAwayError";
  constructor(
    readonly reason: TurnedAwayReason,
    message: string,
    readonly retryAfterSeconds: number,
  ) {
    super(message);
  }
}

/** A body has more bytes than a request may bring. */
export class BodyTooLargeError extends Error {
  override readonly name = "BodyTooLargeError";
}

/** A body came in so many pieces that reading it would hold up everyone. */
export class SmallPiecesError extends Error {
  override readonly name = "SmallPiecesError";
}

/** Other requests' bodies take all the room that there is for them. */
export class NoRoomError extends Error {
  override readonly name = "NoRoomError";
}

/** The client has gone away: there is no one left to answer. */
export class AbortedError extends Error {
  override readonly name = "AbortedError";
  readonly statusCode = 400;
}

/** A body of a type that is not supported here. */
export class UnknownFormatError extends Error {
  override readonly name = "UnknownFormatError";
}

/** What {@link sendError} reports to. */
export interface ErrorSinks {
  readonly metrics: Pick<IntakeMetrics, "turnedAway">;
  readonly logger: Pick<FastifyBaseLogger, "error">;
}

/** Answers with the problem that an error is. */
export async function sendError(error: unknown, reply: FastifyReply, { metrics, logger }: ErrorSinks): Promise<void> {
  if (error instanceof RefusedError) return await sendProblem(reply, refusalDetails(error));
  if (error instanceof BodyTooLargeError)
    // The rest of the body will never be read, so its connection cannot be used again.
    return await sendProblem(reply.header("connection", "close"), problemDetails(413, error.message));
  if (error instanceof NoRoomError) {
    metrics.turnedAway("bodies");
    return await sendProblem(
      reply.header("connection", "close").header("retry-after", "1"),
      problemDetails(503, error.message),
    );
  }
  if (error instanceof SmallPiecesError)
    return await sendProblem(reply.header("connection", "close"), problemDetails(400, error.message));
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
      // A client that is told to slow down could not help: only room does.
      problemDetails(error.reason === "room" ? 503 : 429, error.message),
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
