import type { Server } from "node:http";
import { Server as NetServer } from "node:net";

/** A client under load uses each of its connections sooner than this. */
const IDLE_MS = 1_000;

/**
 * Stops a server without failing a request: it takes no more connections, answers to its end what it is answering, and
 * a connection ends with its next answer (the handler's say `connection: close` from now on), or when a second has
 * brought no request.
 *
 * Node's `server.close()` ends connections that are between two requests at once, also those over which one is just
 * coming.
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
