import type { Socket } from "node:net";

/**
 * What else is in the piece that is being parsed is not: Node would make objects for each of thousands of requests of a
 * connection that is closed. It stops where a request asks to go on in another protocol, which is what this says. There
 * is no other way; where Node has changed this one, they are made.
 */
export function readNoMore(socket: Socket): void {
  const { parser } = socket as Socket & { readonly parser?: { onIncoming?: unknown } | null };
  if (typeof parser?.onIncoming === "function") parser.onIncoming = () => 2;
}
