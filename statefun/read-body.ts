import type { IncomingMessage } from "node:http";

/** Reads a request's body without copying it when it comes in one piece. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | "too-large" | "aborted"> {
  return new Promise((resolve) => {
    if (Number(request.headers["content-length"] ?? 0) > maxBytes) return resolve("too-large");
    const chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) {
        chunks.length = 0;
        request.pause();
        return resolve("too-large");
      }
      chunks.push(chunk);
    });
    request.on("end", () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length)));
    // A client that goes away mid-request gets no answer.
    request.on("error", () => resolve("aborted"));
    request.on("close", () => resolve("aborted"));
  });
}
