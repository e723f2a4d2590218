import type { IncomingMessage, ServerResponse } from "node:http";

import { batchLimits, isBatchRoute, serveBatch } from "./batch-route.js";
import {
  failure,
  type HttpReply,
  type HttpRequest,
  requireContentType,
  requireSize,
  noRoom,
  send,
  tooLarge,
  tooSmallPieces,
  wrongMethod,
} from "./http-messages.js";
import type { Holding } from "./held-bytes.js";
import { readBody, type Unread } from "./read-body.js";
import { sizeOf } from "./reply.js";
import type { RequestReplyHandler } from "./request-reply-handler.js";
import { asLongWork } from "./turns.js";

/** A larger call does not begin before others are done that take long. */
const LONG_BYTES = 32 * 1024;

/** StateFun sends this content type, and accepts no other, nor any parameters with it. */
export const CONTENT_TYPE = "application/octet-stream";

/**
 * A listener for `node:http`, to be called for the path that `module.yaml` names, and for the same path with `/batch`
 * appended: there it takes many calls in one request, from the batching transport.
 */
export function nodeHttpListener(
  handler: RequestReplyHandler,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => void serve(handler, request, response);
}

/**
 * Answers a request with a single call. Never throws: what goes wrong is logged with its cause and answered with a
 * status.
 */
export async function answer(
  handler: RequestReplyHandler,
  { method, contentType, body }: HttpRequest,
): Promise<HttpReply> {
  const refused = wrongMethod(method);
  if (refused !== undefined) return refused;
  try {
    requireContentType(contentType, CONTENT_TYPE);
    requireSize(handler, body);
    // Long ones take their turns one after the other.
    if (body.length > LONG_BYTES) await new Promise<void>(asLongWork);
    const handled = handler.reply(body);
    return {
      status: 200,
      headers: { "content-type": CONTENT_TYPE },
      body: handled instanceof Promise ? await handled : handled,
    };
  } catch (error) {
    return failure(handler, error);
  }
}

/** Serves one request of `node:http`, or of Express, whose requests are the same. */
async function serve(handler: RequestReplyHandler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const batch = isBatchRoute(request.url);
  const headers = batch ? batchLimits(handler) : {};
  let holding: Holding | undefined;
  try {
    const body = await bodyOf(request, handler, (one) => {
      holding = one;
      response.once("close", () => one.release());
    });
    if (body === "aborted") return;
    // The rest of a body that is too large will not be read, so its connection cannot be used again.
    if (body === "too-large")
      return send(response, failure(handler, tooLarge(handler), { ...headers, connection: "close" }));
    if (body === "too-small-pieces")
      return send(response, failure(handler, tooSmallPieces(), { ...headers, connection: "close" }));
    if (body === "too-much-held")
      return send(response, failure(handler, noRoom(), { ...headers, "retry-after": "1", connection: "close" }));
    if (body === "taken") {
      const cause = new Error(
        "something before the handler has read and parsed the request's body: mount the handler before express.json() and its like",
      );
      return send(response, failure(handler, cause, headers));
    }
    const received: HttpRequest = { method: request.method, contentType: request.headers["content-type"], body };
    if (batch) serveBatch(handler, received, response, holding);
    else {
      const reply = await answer(handler, received);
      if (typeof reply.body !== "string") holding?.charge(sizeOf(reply.body));
      send(response, reply);
      holding?.waitsForClient(() => response.destroy());
    }
  } catch (error) {
    if (response.headersSent) response.destroy();
    else send(response, failure(handler, error, headers));
  }
}

/** The body; express.raw() may have left it as a Buffer. */
async function bodyOf(
  request: IncomingMessage & { readonly body?: unknown },
  { held, options: { maxBodyBytes } }: RequestReplyHandler,
  whenHeld: (holding: Holding) => void,
): Promise<Uint8Array | Unread | "taken"> {
  if (request.body instanceof Uint8Array) return request.body;
  if (request.readableEnded) return "taken";
  return await readBody(request, maxBodyBytes, held, whenHeld);
}
