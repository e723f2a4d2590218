import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

import { oneInATurn } from "./connections/one-in-a-turn.js";
import { PROBLEM_TYPE, problemDetails } from "./problem-details.js";

/** A whole answer, written once: hundreds of connections may end with it at the same moment. */
function answer(status: number, detail: string): string {
  const body = JSON.stringify(problemDetails(status, detail));
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
}

const ANSWERS: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: answer(408, "the request was not complete in time"),
  HPE_HEADER_OVERFLOW: answer(431, "the request's headers have more bytes than are read here"),
};
const OTHERWISE = answer(400, "this is not an HTTP request that can be read");

/** Connections that are to end. */
const ending = new WeakSet<Socket>();
/** Not even the first ends while Node still reads what has come on its connection. */
const inOwnTurn = oneInATurn("next turn");

/**
 * Answers what Node could not read as a request. Then the connection ends: there is no telling where the next request
 * begins. One ends in each turn of the event loop, so that hundreds at once do not hold up everyone else.
 */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed || ending.has(socket)) return;
  socket.pause();
  ending.add(socket);
  const text = ANSWERS[error.code ?? ""] ?? OTHERWISE;
  inOwnTurn(() => {
    if (socket.writable) socket.write(text);
    socket.destroy();
  });
}
