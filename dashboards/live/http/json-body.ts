import express, { type NextFunction, type Request, type RequestHandler, type Response } from "express";

import { jsonErrorText, parsedJson, repetitionText, utf8Text } from "../../../contract/read-json.js";
import { refuse } from "./guards.js";

/** What Express inflates on every version of Node; newer ones could do more. */
const CODINGS: readonly string[] = ["gzip", "deflate", "br", "identity"];

/**
 * Reads a body of JSON as the intake reads it: UTF-8, and no key twice. It may be compressed; its bound is that of what
 * it decodes to. Whether it says that it is JSON, {@link ownAction} has looked.
 */
export function jsonBody(maxBytes: number): RequestHandler[] {
  return [
    ({ headers }: Request, response: Response, next: NextFunction) => {
      const coding = headers["content-encoding"]?.trim().toLowerCase();
      if (coding === undefined || coding === "" || CODINGS.includes(coding)) return next();
      refuse(
        response.setHeader("accept-encoding", CODINGS.join(", ")),
        415,
        `this content-encoding is not read here: send one of ${CODINGS.join(", ")}, or none`,
      );
    },
    express.raw({ limit: maxBytes, type: () => true }),
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
