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
 * So many pieces of all bodies together are read in so many milliseconds. What is more waits, and so many bodies go on
 * after that: hundreds that grow at once would hold up everything else, and what comes meanwhile comes in larger
 * pieces.
 */
const PIECES = 32;
const PIECES_MS = 5;
const GO_ON = 8;
/** A smaller body never waits. */
const NO_WAIT_BYTES = 16 * 1024;

let pieces = 0;
let counts = false;
const waiting = new Set<IncomingMessage>();

/** Counts a piece; after many others its body is paused for a while, unless it is all there. */
function countPiece(request: IncomingMessage, received: number, expected: number): void {
  pieces++;
  if (pieces > PIECES && received > NO_WAIT_BYTES && received !== expected) {
    waiting.add(request);
    request.pause();
  }
  if (counts) return;
  counts = true;
  setTimeout(goOn, PIECES_MS);
}

function goOn(): void {
  pieces = 0;
  let resumed = 0;
  for (const request of waiting) {
    waiting.delete(request);
    request.resume();
    if (++resumed === GO_ON) break;
  }
  counts = waiting.size > 0;
  if (counts) setTimeout(goOn, PIECES_MS);
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
    const gathered = new Gathered(maxBytes);
    let own = 0;
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
      if (++own > FREE_PIECES && gathered.length < (own - FREE_PIECES) * PIECE_BYTES) return give("too-small-pieces");
      if (holding?.add(chunk.length) === false) return give("too-much-held");
      gathered.add(chunk);
      countPiece(request, gathered.length, declared);
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
