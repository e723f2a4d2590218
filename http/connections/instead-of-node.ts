import type { IncomingMessage, Server, ServerResponse } from "node:http";

/**
 * Node itself answers what expects what it does not know, and what names no host: as many as come, and uncounted. With
 * this they are requests like others, and {@link namesNoHost} answers the second kind.
 */
export function answerInsteadOfNode(server: Server): void {
  server.on("checkExpectation", (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(417, { connection: "close" }).end();
  });
  (server as Server & { requireHostHeader: boolean }).requireHostHeader = false;
}

/** Answers a request that should name its host, and does not. @returns whether it was such a one */
export function namesNoHost({ httpVersion, headers }: IncomingMessage, response: ServerResponse): boolean {
  if (headers.host !== undefined || httpVersion !== "1.1") return false;
  response.writeHead(400, { connection: "close" }).end();
  return true;
}
