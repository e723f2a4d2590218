import { type Agent, type IncomingHttpHeaders, request } from "node:http";

import { BATCH_CONTENT_TYPE } from "../framing.js";

/** One frame of a response. */
export type ReplyFrame =
  | { readonly kind: "result"; readonly id: number; readonly payload: Buffer }
  | { readonly kind: "error"; readonly id: number; readonly status: number; readonly text: string }
  | { readonly kind: "alive" };

/** The body of a request of many calls. */
export function encodeCalls(
  calls: Iterable<{ readonly id: number; readonly payload: Uint8Array }>,
  version = 1,
): Buffer {
  const pieces: Uint8Array[] = [Buffer.of(version)];
  for (const { id, payload } of calls) {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(4 + payload.length, 0);
    head.writeUInt32BE(id, 4);
    pieces.push(head, payload);
  }
  return Buffer.concat(pieces);
}

/** The frames of a response, part of which may still be to come. @throws for bytes that are not frames */
export function decodeReplies(body: Uint8Array): ReplyFrame[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (bytes.length > 0 && bytes[0] !== 1) throw new Error(`the response's version is ${bytes[0]}`);
  const frames: ReplyFrame[] = [];
  for (let at = 1; at + 4 <= bytes.length;) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end < at + 9) throw new Error(`a frame of ${end - at - 4} bytes`);
    if (end > bytes.length) break;
    frames.push(decodeReply(bytes.readUInt8(at + 4), bytes.readUInt32BE(at + 5), bytes.subarray(at + 9, end)));
    at = end;
  }
  return frames;
}

function decodeReply(kind: number, id: number, payload: Buffer): ReplyFrame {
  if (kind === 0) return { kind: "result", id, payload };
  if (kind === 1) return { kind: "error", id, status: payload.readUInt16BE(0), text: payload.toString("utf8", 2) };
  if (kind === 2 && id === 0 && payload.length === 0) return { kind: "alive" };
  throw new Error(`a frame of kind ${kind} with id ${id} and ${payload.length} bytes`);
}

/** A response, or as much of it as has come. */
export interface BatchResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** All of the body so far. */
  body(): Buffer;
  /** Resolves when it has ended properly; rejects when it was cut off. */
  readonly ended: Promise<void>;
  /** Closes the connection, as a client that goes away. */
  destroy(): void;
}

/** Posts a request body. @returns when the headers of the response are there */
export function postBatch(
  url: string,
  body: Uint8Array,
  options: { readonly agent?: Agent; readonly contentType?: string; readonly method?: string } = {},
): Promise<BatchResponse> {
  const { agent, contentType = BATCH_CONTENT_TYPE, method = "POST" } = options;
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method,
        headers: { "content-type": contentType, "content-length": body.length },
        ...(agent === undefined ? {} : { agent }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        const ended = new Promise<void>((end, fail) => response.on("end", end).on("error", fail));
        // A test that destroys a response does not wait for its end.
        ended.catch(() => undefined);
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          body: () => Buffer.concat(chunks),
          ended,
          destroy: () => response.destroy(),
        });
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}
