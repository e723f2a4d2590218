import type { IncomingMessage } from "node:http";

/** Whether a request comes with a body, which may be empty. */
export const hasBody = ({ headers }: Pick<IncomingMessage, "headers">): boolean =>
  headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
