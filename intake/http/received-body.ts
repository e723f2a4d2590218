import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

import type { HeldBytes, Holding } from "../../statefun/held-bytes.js";
import { readBody } from "../../statefun/read-body.js";
import { type Format, formatOf } from "../media-type.js";
import { MAX_BODY_BYTES, NDJSON_TYPES } from "./body.js";
import { codingsOf, decodeBody } from "../../http/content-coding.js";
import { AbortedError, BodyTooLargeError, NoRoomError, SmallPiecesError, UnknownFormatError } from "./door-errors.js";

/** A body's bytes, decoded, and how they are to be read. */
export interface ReceivedBody {
  readonly bytes: Buffer;
  /** Whether each line is an input. */
  readonly lines: boolean;
}

/**
 * Checks that a body can be read, by its headers alone.
 *
 * @throws {UnknownFormatError}
 * @throws {UnknownCodingError}
 */
export function requireReadable(headers: IncomingHttpHeaders): void {
  bodyFormat(headers["content-type"]);
  codingsOf(headers["content-encoding"]);
}

/**
 * Receives and decodes a request's body.
 *
 * @param held - what all requests together may hold
 * @param whenHeld - gets this one's part of it, which must be released when the request is answered
 * @throws an error that {@link sendError} answers
 */
export async function receiveBody(
  request: IncomingMessage,
  held: HeldBytes,
  whenHeld: (holding: Holding) => void,
): Promise<ReceivedBody> {
  const { headers } = request;
  let holding: Holding | undefined;
  const body = await readBody(request, MAX_BODY_BYTES, held, (one) => {
    holding = one;
    whenHeld(one);
  });
  if (body === "aborted") throw new AbortedError("the client has gone away");
  if (body === "too-large") throw new BodyTooLargeError(`the request has more than ${MAX_BODY_BYTES} bytes`);
  if (body === "too-small-pieces")
    throw new SmallPiecesError("the body came in too many small pieces: send it in larger ones");
  if (body === "too-much-held") throw new NoRoomError("there are too many bytes of other requests: send it again");
  const codings = codingsOf(headers["content-encoding"]);
  const bytes = await decodeBody(body, codings, MAX_BODY_BYTES);
  if (bytes !== body) holding?.charge(bytes.length);
  return {
    bytes,
    lines: bodyFormat(headers["content-type"]) === "lines",
  };
}

/** @throws {UnknownFormatError} */
function bodyFormat(contentType: string | undefined): Extract<Format, "json" | "lines"> {
  const format = contentType === undefined ? "unknown" : formatOf(contentType);
  if (format !== "json" && format !== "lines")
    throw new UnknownFormatError(
      `send one of these content types: application/json, or any that ends in +json; ${NDJSON_TYPES.join(", ")}`,
    );
  return format;
}
