import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** The limits of one server's connections. */
export interface ConnectionLimits {
  /** The most connections, of all clients together. */
  readonly connections: number;
  /**
   * How many requests a connection may have open: a client may send the next before the last is answered. They are
   * worked on one after the other, since their answers go in that order, and a client gains nothing over others by it.
   * Beyond that the connection is not read for a while.
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
 * As many requests as a connection may have open, or so many, it may send before the first is answered; one that sends
 * more in one go is closed, and what is left of them is not answered.
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
    for (const sockets of [fresh, idle, sending, later]) sockets.delete(socket);
  };
  const close = (socket: Socket): void => {
    // Its `close` comes later, and others may come before.
    forget(socket);
    socket.destroy();
  };
  const drop = (socket: Socket): void => {
    close(socket);
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
    withoutStacks(socket);
    if (open.size > connections) {
      drop(first(fresh) ?? first(idle) ?? first(sending) ?? notReading() ?? socket);
    }
    if (!socket.destroyed) fresh.add(socket);
  });

  /** Requests that wait until those before them on their connection are answered. */
  const later = new Map<Socket, (() => void)[]>();
  const takeNext = (socket: Socket): void => {
    const rest = later.get(socket);
    const take = rest?.shift();
    if (rest?.length === 0) later.delete(socket);
    if (!socket.destroyed) take?.();
  };
  const inOwnTurn = turns();
  const emit = server.emit.bind(server) as (event: string | symbol, ...args: unknown[]) => boolean;
  server.emit = (event: string | symbol, ...args: unknown[]) => {
    if (event !== "request" && event !== "checkExpectation") return emit(event, ...args);
    const [request, response] = args as [IncomingMessage, ServerResponse];
    const { socket } = request;
    if (socket.destroyed) return true;
    const isFirst = fresh.has(socket);
    arrived(request, response);
    const take = (): void => {
      if (!socket.destroyed && !namesNoHost(request, response)) emit(event, ...args);
    };
    if (open.get(socket)?.size === 1) {
      if (isFirst) inOwnTurn(take);
      else take();
      return true;
    }
    const rest = later.get(socket) ?? [];
    later.set(socket, rest);
    if (rest.push(() => inOwnTurn(take)) < Math.max(requests, AT_ONCE)) return true;
    readNoMore(socket);
    close(socket);
    return true;
  };
  // Node itself answers what it expects to be met and is not, and what names no host: as many as come, and uncounted.
  server.on("checkExpectation", (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(417, { connection: "close" }).end();
  });
  (server as Server & { requireHostHeader: boolean }).requireHostHeader = false;

  const arrived = (request: IncomingMessage, response: ServerResponse): void => {
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
      if (responses.size > 0) return takeNext(socket);
      sending.delete(socket);
      if (!socket.destroyed) idle.add(socket);
    });
  };
}

/**
 * Does one piece of work in each turn of the event loop, the first at once. So come the first request of a connection,
 * and those that did not wait for an answer: hundreds of them together, of which each takes a tenth of a millisecond,
 * would keep waiting whoever has used a connection before.
 */
function turns(): (work: () => void) => void {
  const waiting: (() => void)[] = [];
  let busy = false;
  const next = (): void => {
    const work = waiting.shift();
    busy = work !== undefined;
    try {
      work?.();
    } finally {
      if (busy) setImmediate(next);
    }
  };
  return (work) => {
    waiting.push(work);
    if (!busy) next();
  };
}

const first = (sockets: ReadonlySet<Socket>): Socket | undefined => sockets.values().next().value;

/** How many bytes of answers were made and not taken by the system. */
function bytesOf(responses: ReadonlySet<ServerResponse>): number {
  let bytes = 0;
  for (const { writableLength } of responses) bytes += writableLength;
  return bytes;
}

/** Answers a request that should name its host, and does not. */
function namesNoHost({ httpVersion, headers }: IncomingMessage, response: ServerResponse): boolean {
  if (headers.host !== undefined || httpVersion !== "1.1") return false;
  response.writeHead(400, { connection: "close" }).end();
  return true;
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;

/**
 * For each request that is not answered when its connection closes, Node makes an error with a stack, which always
 * names the same functions of Node: to map it to the source takes a tenth of a millisecond, thousands of times in a
 * second.
 */
function withoutStacks(socket: Socket): void {
  let limit = Error.stackTraceLimit;
  socket.prependOnceListener("close", () => {
    limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
  });
  socket.once("close", () => void (Error.stackTraceLimit = limit));
}

/**
 * What else is in the piece that is being parsed is not: Node would make objects for each of thousands of requests of a
 * connection that is closed. It stops where a request asks to go on in another protocol, which is what this says. There
 * is no other way; where Node has changed this one, they are made.
 */
function readNoMore(socket: Socket): void {
  const { parser } = socket as Socket & { readonly parser?: { onIncoming?: unknown } | null };
  if (typeof parser?.onIncoming === "function") parser.onIncoming = () => 2;
}
