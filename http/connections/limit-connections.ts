import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

import { hasBody } from "../has-body.js";
import { FewAtATime } from "./few-at-a-time.js";
import { answerInsteadOfNode, namesNoHost } from "./instead-of-node.js";
import { MakingRoom } from "./making-room.js";
import { oneInATurn } from "./one-in-a-turn.js";
import { readNoMore } from "./read-no-more.js";
import { RequestsInOrder } from "./requests-in-order.js";
import { UnreadAnswers } from "./unread-answers.js";
import { withoutStacks } from "./without-stacks.js";

/** The limits of one server's connections. */
export interface ConnectionLimits {
  /** The most connections, of all clients together. */
  readonly connections: number;
  /**
   * How many requests a connection may have open: a client may send the next before the last is answered. Beyond that
   * the connection is not read for a while.
   */
  readonly requests: number;
  /**
   * So many a client may send before the first is answered. Of more in one go the first alone is worked on, the rest is
   * not read, and the connection is closed. 16 unless set, or as many as it may have open.
   */
  readonly inOneGo?: number;
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
 * For servers whose clients wait for each answer, as browsers and StateFun's transports do: Node parses all that has
 * come on a connection before anybody else has a turn.
 */
export const CLIENTS_THAT_WAIT = { requests: 2, inOneGo: 2 } as const;

const IN_ONE_GO = 16;
/** A connection on which nothing moves for so long is closed, whoever waits: a client that does not read its answer. */
const STUCK_MS = 120_000;
const MAX_UNREAD_BYTES = 32 * 1024 * 1024;

/**
 * Bounds a server's connections. When there are too many, one is closed to make room, and not always the new one, as by
 * Node's own `maxConnections`, with which a client that holds them all idle would shut everyone out.
 *
 * What clients have not read is bounded, too, and what they may send before they are answered.
 */
export function limitConnections(
  server: Server,
  {
    connections,
    requests,
    inOneGo = Math.max(requests, IN_ONE_GO),
    unreadBytes = MAX_UNREAD_BYTES,
    onDropped,
  }: ConnectionLimits,
): void {
  /** What is not answered yet, or not read, by connection. */
  const open = new Map<Socket, Set<ServerResponse>>();
  const unreadOf = (socket: Socket): number => bytesOf(open.get(socket) ?? []);
  const makingRoom = new MakingRoom<Socket>((socket) => unreadOf(socket) > 0);
  const inOrder = new RequestsInOrder<Socket>();
  const inOwnTurn = oneInATurn();
  const arriving = new FewAtATime<Socket>({
    pause: holdBack,
    resume: (socket) => letGoOn(socket, (open.get(socket)?.size ?? requests) < requests),
  });
  const forget = (socket: Socket): void => {
    open.delete(socket);
    arriving.ended(socket);
    makingRoom.forget(socket);
    inOrder.forget(socket);
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
  const unread = new UnreadAnswers<Socket>({
    unread: () => [...open].filter(([, { size }]) => size > 0).map(([socket, all]) => [socket, bytesOf(all)]),
    maxBytes: unreadBytes,
    drop,
  });
  server.setTimeout(STUCK_MS);
  answerInsteadOfNode(server);

  server.on("connection", (socket: Socket) => {
    open.set(socket, new Set());
    socket.once("close", () => forget(socket));
    withoutStacks(socket);
    if (open.size > connections) drop(makingRoom.next() ?? socket);
    if (!socket.destroyed) makingRoom.opened(socket);
  });

  const emit = server.emit.bind(server) as (event: string | symbol, ...args: unknown[]) => boolean;
  server.emit = (event: string | symbol, ...args: unknown[]) => {
    if (event !== "request" && event !== "checkExpectation") return emit(event, ...args);
    const [request, response] = args as [IncomingMessage, ServerResponse];
    const { socket } = request;
    if (socket.destroyed) return true;
    const isFirst = makingRoom.isFresh(socket);
    arrived(request, response);
    const take = (): void => {
      if (!socket.destroyed && !namesNoHost(request, response)) emit(event, ...args);
    };
    if (open.get(socket)?.size === 1) {
      if (isFirst) inOwnTurn(take);
      else take();
      return true;
    }
    if (inOrder.add(socket, () => inOwnTurn(take)) < inOneGo) return true;
    readNoMore(socket);
    close(socket);
    return true;
  };

  const arrived = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    const responses = open.get(socket);
    if (responses === undefined) return;
    responses.add(response);
    const sends = hasBody(request);
    makingRoom.asked(socket, sends);
    if (sends) {
      request.once("end", () => {
        makingRoom.sent(socket);
        arriving.ended(socket);
      });
      // Most come with their heads, or in the same moment.
      setImmediate(() => {
        if (!request.complete && open.has(socket)) arriving.began(socket);
      });
    }
    // After what Node does at the end of a request, which resumes reading.
    if (responses.size % requests === 0)
      setImmediate(() => {
        if (responses.size >= requests) socket.pause();
      });
    response.once("close", () => {
      if (!responses.delete(response) || !open.has(socket)) return;
      if (responses.size === requests - 1) socket.resume();
      if (responses.size > 0) inOrder.next(socket);
      else if (socket.destroyed) makingRoom.forget(socket);
      else makingRoom.answered(socket);
    });
    unread.asked();
  };
}

/**
 * A connection is not read, whatever resumes it: Node does when a request is read, is left unread, or has ended. A body
 * that is not read but dropped, since its request is refused, costs as much time as another.
 */
function holdBack(socket: Socket): void {
  socket.resume = () => socket;
  socket.pause();
  // Where the socket was paused before, Node may have gone on reading: the event ends that.
  socket.emit("pause");
}

function letGoOn(socket: Socket, reads: boolean): void {
  delete (socket as Partial<Socket>).resume;
  if (reads && !socket.destroyed) socket.resume();
}

/** How many bytes of answers were made and not taken by the system. */
function bytesOf(responses: Iterable<ServerResponse>): number {
  let bytes = 0;
  for (const { writableLength } of responses) bytes += writableLength;
  return bytes;
}
