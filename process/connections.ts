import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** The limits of one server's connections. */
export interface ConnectionLimits {
  /** The most connections, of all clients together. */
  readonly connections: number;
  /**
   * How many requests a connection may have open: a client may send the next before the last is answered. Beyond that
   * the connection is not read for a while.
   */
  readonly requests: number;
  /** A connection was closed to make room. */
  readonly onDropped?: () => void;
}

/** How long the stages of a connection may take, in ms; for `createServer`. */
export const CONNECTION_TIMES = {
  /** From the first moment of a connection or request until its headers are there. */
  headersTimeout: 10_000,
  /** Until all of it is there. */
  requestTimeout: 30_000,
  /** How often these two limits are checked. */
  connectionsCheckingInterval: 2_000,
} as const;

/**
 * Bounds a server's connections. When there are too many, the one that has waited longest for a request is closed; if
 * all have one, the one whose request has been arriving for longest; and only when every client waits for the server,
 * the new one. Node's own `maxConnections` always refuses the new one, so a client that holds them all idle would shut
 * everyone out.
 */
export function limitConnections(server: Server, { connections, requests, onDropped }: ConnectionLimits): void {
  /** How many requests are not answered yet, by connection. */
  const open = new Map<Socket, number>();
  // In the order in which they became idle.
  const idle = new Set<Socket>();
  const sending = new Set<Socket>();

  server.on("connection", (socket: Socket) => {
    open.set(socket, 0);
    socket.once("close", () => {
      open.delete(socket);
      idle.delete(socket);
      sending.delete(socket);
    });
    if (open.size > connections) {
      const oldest = first(idle) ?? first(sending) ?? socket;
      // Its `close` comes later, and others may come before.
      open.delete(oldest);
      idle.delete(oldest);
      sending.delete(oldest);
      oldest.destroy();
      onDropped?.();
    }
    if (!socket.destroyed) idle.add(socket);
  });

  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const before = open.get(socket);
    if (before === undefined) return;
    open.set(socket, before + 1);
    idle.delete(socket);
    // After what Node does at the end of a request, which resumes reading.
    if ((before + 1) % requests === 0)
      setImmediate(() => {
        if ((open.get(socket) ?? 0) >= requests) socket.pause();
      });
    if (hasBody(request)) {
      sending.add(socket);
      request.once("end", () => sending.delete(socket));
    }
    response.once("close", () => {
      const now = open.get(socket);
      if (now === undefined) return;
      open.set(socket, now - 1);
      if (now === requests) socket.resume();
      if (now > 1) return;
      sending.delete(socket);
      if (!socket.destroyed) idle.add(socket);
    });
  });
}

const first = (sockets: ReadonlySet<Socket>): Socket | undefined => sockets.values().next().value;

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
