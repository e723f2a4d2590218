import type { IncomingMessage, ServerResponse } from "node:http";

import { RequestError } from "./errors.js";
import { readBody } from "./read-body.js";
import type { RequestReplyHandler } from "./request-reply-handler.js";

/** StateFun sends this content type, and takes no other, nor parameters with it. */
export const CONTENT_TYPE = "application/octet-stream";

/** An HTTP request, whoever received it. */
export interface HttpRequest {
  readonly method: string | undefined;
  /** The header's value; `undefined` when there is none. */
  readonly contentType: string | undefined;
  readonly body: Uint8Array;
}

/** What to answer: StateFun's reply, or a status with a line of text that says what was wrong. */
export type HttpReply =
  | { readonly status: 200; readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array }
  | { readonly status: 400 | 404 | 405 | 413 | 415 | 500; readonly headers: Readonly<Record<string, string>>; readonly body: string };

/** Answers one request. Never throws: what goes wrong is logged with its cause and answered with a status. */
export async function answer(handler: RequestReplyHandler, { method, contentType, body }: HttpRequest): Promise<HttpReply> {
  if (method !== "POST") return refusal(405, "only POST", { allow: "POST" });
  try {
    if (contentType !== undefined && contentType.split(";", 1)[0]!.trim().toLowerCase() !== CONTENT_TYPE) {
      throw new RequestError("MALFORMED_REQUEST", 415, `the body is ${contentType}, not ${CONTENT_TYPE}`);
    }
    if (body.length > handler.options.maxBodyBytes) throw tooLarge(handler);
    const handled = handler.handle(body);
    return { status: 200, headers: { "content-type": CONTENT_TYPE }, body: handled instanceof Promise ? await handled : handled };
  } catch (error) {
    return failure(handler, error);
  }
}

/** Serves one request of `node:http`, or of Express, whose requests are those. */
export async function serve(handler: RequestReplyHandler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const body = await bodyOf(request, handler.options.maxBodyBytes);
    if (body === "aborted") return;
    // The rest of a body that is too large will not be read, so its connection cannot be used again.
    if (body === "too-large") return send(response, failure(handler, tooLarge(handler), { connection: "close" }));
    if (body === "taken") {
      const cause = new Error("something before the handler has read and parsed the request's body: mount the handler before express.json() and its like");
      return send(response, failure(handler, cause));
    }
    send(response, await answer(handler, { method: request.method, contentType: request.headers["content-type"], body }));
  } catch (error) {
    if (response.headersSent) response.destroy();
    else send(response, failure(handler, error));
  }
}

/** The body; express.raw() may have left it as a Buffer. */
async function bodyOf(request: IncomingMessage & { readonly body?: unknown }, maxBytes: number): Promise<Uint8Array | "too-large" | "aborted" | "taken"> {
  if (request.body instanceof Uint8Array) return request.body;
  if (request.readableEnded) return "taken";
  return await readBody(request, maxBytes);
}

function send(response: ServerResponse, { status, headers, body }: HttpReply): void {
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) }).end(body);
}

const tooLarge = ({ options }: RequestReplyHandler): RequestError => new RequestError("MALFORMED_REQUEST", 413, `the body has more than ${options.maxBodyBytes} bytes`);

function failure({ options }: RequestReplyHandler, error: unknown, headers: Readonly<Record<string, string>> = {}): HttpReply {
  const known = error instanceof RequestError ? error : new RequestError("FUNCTION_FAILED", 500, error instanceof Error ? error.message : String(error), { cause: error });
  options.logger.error({ err: known.cause ?? known, code: known.code, status: known.status }, known.message);
  return refusal(known.status, known.message, headers);
}

function refusal(status: Exclude<HttpReply["status"], 200>, message: string, headers: Readonly<Record<string, string>>): HttpReply {
  return { status, headers: { ...headers, "content-type": "text/plain; charset=utf-8" }, body: `${message}\n` };
}
