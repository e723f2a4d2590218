import type { Server } from "node:http";
import { Server as NetServer } from "node:net";

/** A client under load uses each of its connections again sooner than this. */
const IDLE_MS = 1_000;

/**
 * Stops a server without failing a request: it takes no more connections, finishes the answers that it has begun, and a
 * connection ends with its next answer (the handler's say `connection: close` from now on), or after a second without a
 * request.
 *
 * Node's `server.close()` immediately ends connections that are between two requests, even those on which one is just
 * arriving.
 *
 * @returns resolves when the last connection has ended
 */
export function drain(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const sweeps = setInterval(() => server.closeIdleConnections(), IDLE_MS);
    NetServer.prototype.close.call(server, () => {
      clearInterval(sweeps);
      resolve();
    });
  });
}
