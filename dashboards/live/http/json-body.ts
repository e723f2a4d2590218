import type { NextFunction, Request, RequestHandler, Response } from "express";

import { jsonErrorText, parsedJson, repetitionText, utf8Text } from "../../../contract/read-json.js";
import {
  BrokenCodingError,
  CODINGS,
  codingsOf,
  decodeBody,
  DecodedTooLargeError,
  UnknownCodingError,
} from "../../../http/content-coding.js";
import { refuse } from "../../../http/problem-details.js";
import { HeldBytes } from "../../../statefun/held-bytes.js";
import { readBody, type Unread } from "../../../statefun/read-body.js";

/** Of all requests together, times the largest body. */
const HELD_BODIES = 512;
const REFUSALS: Readonly<Record<Exclude<Unread, "aborted">, readonly [status: number, detail: string]>> = {
  "too-large": [413, "the body has more bytes than are read here"],
  "too-small-pieces": [400, "the body came in too many small pieces: send it in larger ones"],
  "too-much-held": [503, "there are too many bytes of other requests: send it again"],
};

/**
 * Reads a body of JSON as the intake reads it: UTF-8, and no key twice. It may be compressed; its bound is that of what
 * it decodes to. Whether it says that it is JSON, {@link ownAction} has looked.
 *
 * @param held - what all requests together may hold
 */
export function jsonBody(maxBytes: number, held = new HeldBytes(HELD_BODIES * maxBytes)): RequestHandler[] {
  return [
    async (request: Request, response: Response, next: NextFunction) => {
      const { headers } = request;
      if (headers["content-length"] === undefined && headers["transfer-encoding"] === undefined) return next();
      try {
        const codings = codingsOf(headers["content-encoding"]);
        if (codings.length > 1)
          throw new UnknownCodingError(`one content-encoding is read here: send one of ${CODINGS}`);
        const body = await readBody(request, maxBytes, held, (holding) =>
          response.once("close", () => holding.release()),
        );
        if (body === "aborted") return;
        if (typeof body === "string") {
          // The rest of the body is not read, so its connection cannot be used again.
          response.setHeader("connection", "close");
          if (body === "too-much-held") response.setHeader("retry-after", "1");
          return refuse(response, ...REFUSALS[body]);
        }
        request.body = await decodeBody(body, codings, maxBytes);
      } catch (error) {
        if (error instanceof UnknownCodingError)
          return refuse(response.setHeader("accept-encoding", CODINGS), 415, error.message);
        if (error instanceof DecodedTooLargeError) return refuse(response, 413, error.message);
        if (error instanceof BrokenCodingError) return refuse(response, 400, error.message);
        return next(error);
      }
      next();
    },
    (request: Request, response: Response, next: NextFunction) => {
      // Without a body there is none to read.
      if (!Buffer.isBuffer(request.body)) return next();
      try {
        const { json, repeated } = parsedJson(utf8Text(request.body));
        if (repeated[0] !== undefined) return refuse(response, 400, repetitionText(repeated[0]).message);
        request.body = json;
      } catch (error) {
        return refuse(response, 400, `the body is not JSON in UTF-8: ${jsonErrorText(error)}`);
      }
      next();
    },
  ];
}
