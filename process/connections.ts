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
  /** The most bytes of answers that clients have not read, of all connections together. 32 MiB unless set. */
  readonly unreadBytes?: number;
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
 * As many requests as a connection may have open, or so many, it may send in one go; one that sends more is closed, and
 * what is left of them is not answered.
 */
const AT_ONCE = 16;
/** A connection on which nothing moves for so long is closed, whoever waits: a client that does not read its answer. */
const STUCK_MS = 120_000;
const MAX_UNREAD_BYTES = 32 * 1024 * 1024;
/** How often it is counted what clients have not read, while requests are open. */
const UNREAD_MS = 100;

/**
 * Bounds a server's connections. When there are too many, one is closed to make room: the oldest on which no request
 * was ever answered; then the one that has waited longest for its next request; if all have one, the one whose request
 * has been arriving for longest; then one whose client does not read its answer; and only when every client waits for
 * the server, the new one. Node's own `maxConnections` always refuses the new one, so a client that holds them all idle
 * would shut everyone out.
 *
 * What clients have not read is bounded, too: when it is too much, those that have most of it are closed.
 */
export function limitConnections(
  server: Server,
  { connections, requests, unreadBytes = MAX_UNREAD_BYTES, onDropped }: ConnectionLimits,
): void {
  /** What is not answered yet, or not read, by connection. */
  const open = new Map<Socket, Set<ServerResponse>>();
  /** Idle, and never of use so far: however fast these come, they close no connection that is. */
  const fresh = new Set<Socket>();
  // In the order in which they became idle.
  const idle = new Set<Socket>();
  const sending = new Set<Socket>();
  const forget = (socket: Socket): void => {
    open.delete(socket);
    for (const sockets of [fresh, idle, sending]) sockets.delete(socket);
  };
  const drop = (socket: Socket): void => {
    // Its `close` comes later, and others may come before.
    forget(socket);
    socket.destroy();
    onDropped?.();
  };
  const notReading = (): Socket | undefined => {
    for (const [socket, responses] of open) if (bytesOf(responses) > 0) return socket;
    return undefined;
  };
  let lookedAtMs = 0;
  let willLook = false;
  const look = (): void => {
    lookedAtMs = performance.now();
    const busy = [...open].filter(([, responses]) => responses.size > 0);
    if (busy.length > 0) lookLater();
    const unread = busy.map(([socket, responses]) => ({ socket, bytes: bytesOf(responses) }));
    let sum = unread.reduce((all, { bytes }) => all + bytes, 0);
    if (sum <= unreadBytes) return;
    for (const { socket, bytes } of unread.sort((one, other) => other.bytes - one.bytes)) {
      if (sum <= unreadBytes) break;
      sum -= bytes;
      drop(socket);
    }
  };
  const lookLater = (): void => {
    if (willLook) return;
    willLook = true;
    setTimeout(() => {
      willLook = false;
      look();
    }, UNREAD_MS).unref();
  };
  server.setTimeout(STUCK_MS);

  server.on("connection", (socket: Socket) => {
    open.set(socket, new Set());
    socket.once("close", () => forget(socket));
    if (open.size > connections) {
      drop(first(fresh) ?? first(idle) ?? first(sending) ?? notReading() ?? socket);
    }
    if (!socket.destroyed) fresh.add(socket);
  });

  /** How many requests each connection has sent since the event loop last turned. */
  const burst = new Map<Socket, number>();
  const isFlood = ({ socket }: IncomingMessage): boolean => {
    if (burst.size === 0) setImmediate(() => burst.clear());
    const sent = (burst.get(socket) ?? 0) + 1;
    burst.set(socket, sent);
    if (sent <= Math.max(requests, AT_ONCE)) return false;
    socket.destroy();
    return true;
  };
  // Node itself answers what it expects to be met and is not, and what names no host: as many as come, and uncounted.
  server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    if (!isFlood(request)) response.writeHead(417, { connection: "close" }).end();
  });
  (server as Server & { requireHostHeader: boolean }).requireHostHeader = false;
  const namesNoHost = ({ httpVersion, headers }: IncomingMessage, response: ServerResponse): boolean => {
    if (headers.host !== undefined || httpVersion !== "1.1") return false;
    response.writeHead(400, { connection: "close" }).end();
    return true;
  };
  const emit = server.emit.bind(server) as (event: string | symbol, ...args: unknown[]) => boolean;
  // Node hands over all requests that one piece of 64 KiB holds, without a turn in between, as many as two thousand.
  server.emit = (event: string | symbol, ...args: unknown[]) =>
    event === "request" &&
    (isFlood(args[0] as IncomingMessage) || namesNoHost(...(args as [IncomingMessage, ServerResponse])))
      ? true
      : emit(event, ...args);

  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const responses = open.get(socket);
    if (responses === undefined) return;
    responses.add(response);
    // Requests on hundreds of connections are worked on in one turn, and no timer comes meanwhile.
    if (performance.now() - lookedAtMs < UNREAD_MS) lookLater();
    else look();
    fresh.delete(socket);
    idle.delete(socket);
    // After what Node does at the end of a request, which resumes reading.
    if (responses.size % requests === 0)
      setImmediate(() => {
        if (responses.size >= requests) socket.pause();
      });
    if (hasBody(request)) {
      sending.add(socket);
      request.once("end", () => sending.delete(socket));
    }
    response.once("close", () => {
      if (!responses.delete(response) || !open.has(socket)) return;
      if (responses.size === requests - 1) socket.resume();
      if (responses.size > 0) return;
      sending.delete(socket);
      if (!socket.destroyed) idle.add(socket);
    });
  });
}

const first = (sockets: ReadonlySet<Socket>): Socket | undefined => sockets.values().next().value;

/** How many bytes of answers were made and not taken by the system. */
function bytesOf(responses: ReadonlySet<ServerResponse>): number {
  let bytes = 0;
  for (const { writableLength } of responses) bytes += writableLength;
  return bytes;
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
