import type { FastifyReply, FastifyRequest } from "fastify";

import { jsonErrorText, parsedJson, repetitionText, utf8Text } from "../../../contract/read-json.js";
import {
  BrokenCodingError,
  CODINGS,
  codingsOf,
  decodeBody,
  DecodedTooLargeError,
  UnknownCodingError,
} from "../../../http/content-coding.js";
import { hasBody } from "../../../http/has-body.js";
import { problemDetails } from "../../../http/problem-details.js";
import { prepareProblem, type PreparedProblem, sendPrepared, sendProblem } from "../../../http/problem-reply.js";
import { HeldBytes } from "../../../statefun/held-bytes.js";
import { readBody, type Unread } from "../../../statefun/read-body.js";

/** Of all requests together, times the largest body. */
const HELD_BODIES = 512;
const REFUSALS: Readonly<Record<Exclude<Unread, "aborted">, PreparedProblem>> = {
  "too-large": prepareProblem(413, "the body has more bytes than are read here"),
  "too-small-pieces": prepareProblem(400, "the body came in too many small pieces: send it in larger ones"),
  "too-much-held": prepareProblem(503, "there are too many bytes of other requests: send it again"),
};

/**
 * Reads a body of JSON as the intake reads it: UTF-8, and no key twice. It may be compressed; its bound is that of what
 * it decodes to. Whether it says that it is JSON, {@link ownAction} has looked.
 *
 * @param held - what all requests together may hold
 * @returns a `preHandler` that sets `request.body`, if there is one, or refuses it
 */
export function jsonBody(
  maxBytes: number,
  held = new HeldBytes(HELD_BODIES * maxBytes),
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  return async (request, reply) => {
    const { raw: incoming, headers } = request;
    if (!hasBody(request)) return;
    try {
      const codings = codingsOf(headers["content-encoding"]);
      if (codings.length > 1) throw new UnknownCodingError(`one content-encoding is read here: send one of ${CODINGS}`);
      const body = await readBody(incoming, maxBytes, held, (holding) =>
        reply.raw.once("close", () => holding.release()),
      );
      // Nobody is there to be answered.
      if (body === "aborted" || incoming.socket.destroyed) return void reply.hijack();
      if (typeof body === "string") {
        // The rest of the body is not read, so its connection cannot be used again.
        void reply.header("connection", "close");
        if (body === "too-much-held") void reply.header("retry-after", "1");
        return void sendPrepared(reply, REFUSALS[body]);
      }
      const { json, wrong } = read(await decodeBody(body, codings, maxBytes));
      if (wrong === undefined) request.body = json;
      else void sendProblem(reply, problemDetails(400, wrong));
    } catch (error) {
      if (error instanceof UnknownCodingError)
        void sendProblem(reply.header("accept-encoding", CODINGS), problemDetails(415, error.message));
      else if (error instanceof DecodedTooLargeError) void sendProblem(reply, problemDetails(413, error.message));
      else if (error instanceof BrokenCodingError) void sendProblem(reply, problemDetails(400, error.message));
      else throw error;
    }
  };
}

/** What a body says, or what is wrong with it. */
function read(bytes: Buffer): { readonly json?: unknown; readonly wrong?: string } {
  try {
    const { json, repeated } = parsedJson(utf8Text(bytes));
    return repeated[0] === undefined ? { json } : { wrong: repetitionText(repeated[0]).message };
  } catch (error) {
    return { wrong: `the body is not JSON in UTF-8: ${jsonErrorText(error)}` };
  }
}
