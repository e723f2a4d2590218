import type { IncomingMessage, ServerResponse } from "node:http";

import { nodeHttpListener } from "./http.js";
import type { RequestReplyHandler } from "./request-reply-handler.js";

/**
 * Express middleware for both routes, for `app.use("/statefun", expressMiddleware(handler))`. Mount it before body
 * parsers.
 */
export const expressMiddleware: (
  handler: RequestReplyHandler,
) => (request: IncomingMessage, response: ServerResponse) => void = nodeHttpListener;
