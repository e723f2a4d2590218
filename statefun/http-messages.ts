import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

import { RequestError } from "./errors.js";
import { type Reply, sizeOf } from "./reply.js";
import type { RequestReplyHandler } from "./request-reply-handler.js";
import { boundedError, errorText, shown } from "./shown.js";

/** An HTTP request, whatever server received it. */
export interface HttpRequest {
  readonly method: string | undefined;
  /** The header's value; `undefined` when there is none. */
  readonly contentType: string | undefined;
  readonly body: Uint8Array;
}

/** Headers of a reply. */
export type Headers = Readonly<Record<string, string>>;

/** A status and a line of text that says what was wrong. */
export interface Refusal {
  readonly status: 400 | 404 | 405 | 413 | 415 | 500 | 503;
  readonly headers: Headers;
  readonly body: string;
}

/** What to answer: StateFun's reply, or a refusal. */
export type HttpReply = { readonly status: 200; readonly headers: Headers; readonly body: Reply } | Refusal;

/** What is wrong with a request's method; `undefined` for nothing. */
export function wrongMethod(method: string | undefined): Refusal | undefined {
  return method === "POST" ? undefined : refusal(405, "only POST", { allow: "POST" });
}

/**
 * Every StateFun transport names it. A page in a browser cannot send it to another origin without a preflight request,
 * but could send a body with no type at all.
 *
 * @throws {RequestError} 415 for any content type but the expected one, or none
 */
export function requireContentType(contentType: string | undefined, expected: string): void {
  if (contentType?.split(";", 1)[0]!.trim().toLowerCase() === expected) return;
  throw new RequestError(
    "MALFORMED_REQUEST",
    415,
    `the body is ${contentType === undefined ? "of no type" : shown(contentType)}, not ${expected}`,
  );
}

/** @throws {RequestError} 413 */
export function requireSize(handler: RequestReplyHandler, body: Uint8Array): void {
  if (body.length > handler.options.maxBodyBytes) throw tooLarge(handler);
}

/** The error for a body of more bytes than the handler takes. */
export const tooLarge = ({ options }: RequestReplyHandler): RequestError =>
  new RequestError("MALFORMED_REQUEST", 413, `the body has more than ${options.maxBodyBytes} bytes`);

/** The error for a body that came in very many small pieces. */
export const tooSmallPieces = (): RequestError =>
  new RequestError("MALFORMED_REQUEST", 400, "the body came in too many small pieces: send it in larger ones");

/** The error for a body for which there is no room beside others. */
export const noRoom = (): RequestError =>
  new RequestError("OVERLOADED", 503, "there are too many bytes of other requests: send it again");

/** The failure as a status and a text. */
export const asRequestError = (error: unknown): RequestError =>
  error instanceof RequestError ? error : new RequestError("FUNCTION_FAILED", 500, errorText(error), { cause: error });

/** The failure as a status and a text, after it has been logged with its cause. */
export function logged({ options }: RequestReplyHandler, error: unknown): RequestError {
  const known = asRequestError(error);
  const { cause, code, status } = known;
  // Where a request was refused says nothing, and to map a stack to the source takes longer than the rest of it.
  options.logger.error({ ...(cause !== undefined && { err: boundedError(cause) }), code, status }, known.message);
  return known;
}

/** Logs what failed, and says so. */
export function failure(handler: RequestReplyHandler, error: unknown, headers: Headers = {}): Refusal {
  const { status, message } = logged(handler, error);
  return refusal(status, message, headers);
}

function refusal(status: Refusal["status"], message: string, headers: Headers): Refusal {
  return { status, headers: { ...headers, "content-type": "text/plain; charset=utf-8" }, body: `${message}\n` };
}

/** Sends all of a reply. */
export function send(response: ServerResponse, { status, headers, body }: HttpReply): void {
  const bytes = typeof body === "string" ? Buffer.byteLength(body) : sizeOf(body);
  const begun = writeHead(response, status, { ...headers, "content-length": String(bytes) });
  if (typeof body === "string") begun.end(body);
  else {
    writePieces(begun, body.slice(0, -1));
    begun.end(body.at(-1));
  }
}

/** Writes pieces as if they were one. @returns whether the client takes more */
export function writePieces(response: ServerResponse, pieces: readonly Uint8Array[]): boolean {
  if (pieces.length > 1) response.cork();
  let takesMore = true;
  for (const piece of pieces) takesMore = response.write(piece);
  if (pieces.length > 1) response.uncork();
  return takesMore;
}

/**
 * Begins a reply. A server that no longer listens answers with `connection: close`: Node would keep a busy connection
 * for as long as its client does, and the client would stay with a server that is about to end.
 */
export function writeHead(response: ServerResponse, status: number, headers: Headers): ServerResponse {
  const { server } = response.req.socket as Socket & { readonly server?: Server };
  return response.writeHead(status, server?.listening === false ? { ...headers, connection: "close" } : headers);
}
