import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

import { PROBLEM_TYPE, problemDetails } from "../../http/problem-details.js";

const DETAILS: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, "the request was not complete in time"],
  HPE_HEADER_OVERFLOW: [431, "the request's headers have more bytes than are read here"],
};

/**
 * Answers what Node could not read as a request. Then the connection ends: there is no telling where the next request
 * begins.
 */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  const [status, detail] = DETAILS[error.code ?? ""] ?? [400, "this is not an HTTP request that can be read"];
  const body = JSON.stringify(problemDetails(status, detail));
  if (socket.writable)
    socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  socket.destroy(error);
}
