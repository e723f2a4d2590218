import type { Socket } from "node:net";

/**
 * For each request that is not answered when its connection closes, Node makes an error with a stack, which always
 * names the same functions of Node: to map it to the source takes a tenth of a millisecond, thousands of times in a
 * second.
 */
export function withoutStacks(socket: Socket): void {
  let limit = Error.stackTraceLimit;
  socket.prependOnceListener("close", () => {
    limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
  });
  socket.once("close", () => void (Error.stackTraceLimit = limit));
}
