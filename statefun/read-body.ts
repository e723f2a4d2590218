import type { IncomingMessage } from "node:http";

import { Gathered } from "./gathered.js";
import type { HeldBytes, Holding } from "./held-bytes.js";

/**
 * From so many pieces on, they must have so many bytes on average: each takes microseconds, so that a body in pieces of
 * one byte holds up everything for seconds.
 */
const FREE_PIECES = 2_048;
const PIECE_BYTES = 64;

/**
 * So many pieces of all bodies together are read in a turn of the event loop. What is more waits, and so many bodies go
 * on in the next turn: hundreds that come at once would hold up everything else for a second.
 */
const PIECES_PER_TURN = 32;
const GO_ON_PER_TURN = 8;
/** A smaller body never waits. */
const NO_WAIT_BYTES = 16 * 1024;

let piecesInTurn = 0;
let turnEnds = false;
const waiting = new Set<IncomingMessage>();

/** Counts a piece; after many others its body is paused until a later turn, unless it is all there. */
function takeTurn(request: IncomingMessage, received: number, expected: number): void {
  piecesInTurn++;
  if (piecesInTurn > PIECES_PER_TURN && received > NO_WAIT_BYTES && received !== expected) {
    waiting.add(request);
    request.pause();
  }
  endTurnLater();
}

function endTurnLater(): void {
  if (turnEnds) return;
  turnEnds = true;
  setImmediate(() => {
    turnEnds = false;
    piecesInTurn = 0;
    let resumed = 0;
    for (const request of waiting) {
      waiting.delete(request);
      request.resume();
      if (++resumed === GO_ON_PER_TURN) break;
    }
    if (waiting.size > 0) endTurnLater();
  });
}

/** Why there is no body. */
export type Unread = "too-large" | "too-small-pieces" | "too-much-held" | "aborted";

/**
 * Reads a request's body, without copying it when it comes in one piece. However small its pieces are, it takes memory
 * for its bytes only: a piece kept by itself would cost a hundred times as much as its one byte.
 *
 * @param held - what all requests together may hold
 * @param whenHeld - gets this one's part of it, which must be released when the request is answered
 */
export function readBody(
  request: IncomingMessage,
  maxBytes: number,
  held?: HeldBytes,
  whenHeld?: (holding: Holding) => void,
): Promise<Buffer | Unread> {
  return new Promise((resolve) => {
    const holding = held?.begin(() => give("too-much-held"));
    if (holding !== undefined) whenHeld?.(holding);
    const declared = Number(request.headers["content-length"] ?? NaN);
    if (declared > maxBytes) return resolve("too-large");
    const gathered = new Gathered();
    let pieces = 0;
    const give = (up: Unread): void => {
      request.off("data", take);
      waiting.delete(request);
      request.pause();
      // The rest of what Node has read, as many as ten thousand pieces, would each be kept.
      (request as IncomingMessage & { _dumped?: boolean })._dumped = true;
      gathered.drop();
      resolve(up);
    };
    const take = (chunk: Buffer): void => {
      if (gathered.length + chunk.length > maxBytes) return give("too-large");
      if (++pieces > FREE_PIECES && gathered.length < (pieces - FREE_PIECES) * PIECE_BYTES)
        return give("too-small-pieces");
      if (holding?.add(chunk.length) === false) return give("too-much-held");
      gathered.add(chunk);
      takeTurn(request, gathered.length, declared);
    };
    request.on("data", take);
    request.on("end", () => {
      holding?.received();
      resolve(gathered.take());
    });
    // A client that goes away mid-request gets no answer.
    request.on("error", () => resolve("aborted"));
    request.on("close", () => {
      waiting.delete(request);
      gathered.drop();
      resolve("aborted");
    });
  });
}
