import type { IncomingMessage } from "node:http";

import { Gathered } from "./gathered.js";
import type { HeldBytes, Holding } from "./held-bytes.js";

/**
 * From so many pieces on, they must have so many bytes on average: each takes microseconds, so that a body in pieces of
 * one byte holds up everything for seconds.
 */
const FREE_PIECES = 2_048;
const PIECE_BYTES = 64;

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
    let own = 0;
    const give = (up: Unread): void => {
      request.off("data", take);
      request.pause();
      // The rest of what Node has read, as many as ten thousand pieces, would each be kept.
      (request as IncomingMessage & { _dumped?: boolean })._dumped = true;
      gathered.drop();
      resolve(up);
    };
    const take = (chunk: Buffer): void => {
      if (gathered.length + chunk.length > maxBytes) return give("too-large");
      if (++own > FREE_PIECES && gathered.length < (own - FREE_PIECES) * PIECE_BYTES) return give("too-small-pieces");
      const before = gathered.room;
      gathered.add(chunk);
      if (holding?.add(gathered.room - before) === false) return give("too-much-held");
    };
    request.on("data", take);
    request.on("end", () => {
      holding?.received();
      resolve(gathered.take());
    });
    // A client that goes away mid-request gets no answer.
    request.on("error", () => resolve("aborted"));
    request.on("close", () => {
      gathered.drop();
      resolve("aborted");
    });
  });
}
