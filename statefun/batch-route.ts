import type { ServerResponse } from "node:http";

import { BATCH_CONTENT_TYPE, decodeCalls, type FramedCall, ReplyFrames } from "./framing.js";
import {
  asRequestError,
  failure,
  type Headers,
  type HttpRequest,
  logged,
  requireContentType,
  requireSize,
  send,
  writeHead,
  writePieces,
  wrongMethod,
} from "./http-messages.js";
import type { Holding } from "./held-bytes.js";
import type { Allowance, RequestReplyHandler } from "./request-reply-handler.js";
import { type Reply, sizeOf } from "./reply.js";
import { inTurn, longWork, turnIsOver } from "./turns.js";

/** A client considers a server dead that says nothing for a few times as long. */
const ALIVE_MS = 1_000;
/** Answers larger than this do not wait for others. */
const GATHERED_BYTES = 1024 * 1024;
/** How many failed calls of a request are logged one by one: often they all fail for the same reason. */
const LOGGED_FAILURES = 4;
/** No client needs to be told of a larger limit, and some could not represent it. */
const MOST_BYTES = 2 ** 31 - 1;

/** Whether a request's path is the one for many calls: that for single calls, followed by `/batch`. */
export function isBatchRoute(url = ""): boolean {
  const query = url.indexOf("?");
  return (query === -1 ? url : url.slice(0, query)).endsWith("/batch");
}

/** The headers that tell a client what one request may hold. */
export function batchLimits({ options: { maxBodyBytes, maxBatchCalls } }: RequestReplyHandler): Headers {
  return {
    "statefun-batch-max-bytes": String(Math.min(maxBodyBytes, MOST_BYTES)),
    "statefun-batch-max-calls": String(maxBatchCalls),
  };
}

/**
 * Answers a request of many calls: each as if it had come alone, as it completes.
 *
 * @param holding - what the request takes of the room for all
 */
export function serveBatch(
  handler: RequestReplyHandler,
  { method, contentType, body }: HttpRequest,
  response: ServerResponse,
  holding?: Holding,
): void {
  const headers = batchLimits(handler);
  const refused = wrongMethod(method);
  if (refused !== undefined) return send(response, { ...refused, headers: { ...refused.headers, ...headers } });
  let calls: FramedCall[];
  try {
    requireContentType(contentType, BATCH_CONTENT_TYPE);
    requireSize(handler, body);
    calls = decodeCalls(body, handler.options.maxBatchCalls);
  } catch (error) {
    return send(response, failure(handler, error, headers));
  }
  new BatchAnswer(handler, calls, response, { ...headers, "content-type": BATCH_CONTENT_TYPE }, holding).start();
}

/**
 * The answer to one request. One write with its length when all calls are answered at once; otherwise a stream, which
 * begins as late as possible.
 */
class BatchAnswer {
  readonly #handler: RequestReplyHandler;
  readonly #response: ServerResponse;
  readonly #headers: Headers;
  readonly #frames = new ReplyFrames();
  readonly #allowance: Allowance;
  readonly #holding: Holding | undefined;
  #calls: readonly FramedCall[];
  #begun = 0;
  #unanswered: number;
  #failures = 0;
  /** Calls that have begun, and need more turns. */
  #long = 0;
  #willRun = false;
  #flushIsDue = false;
  #blocked = false;
  #alive: NodeJS.Timeout | undefined;

  constructor(
    handler: RequestReplyHandler,
    calls: readonly FramedCall[],
    response: ServerResponse,
    headers: Headers,
    holding: Holding | undefined,
  ) {
    this.#handler = handler;
    this.#allowance = handler.allowance();
    this.#calls = calls;
    this.#unanswered = calls.length;
    this.#response = response;
    this.#headers = headers;
    this.#holding = holding;
  }

  start(): void {
    this.#goOn();
    if (!this.#response.writableEnded) this.#alive = setTimeout(() => this.#sayAlive(), ALIVE_MS);
  }

  #goOn(): void {
    if (this.#willRun) return;
    this.#willRun = true;
    inTurn(() => {
      this.#willRun = false;
      this.#run();
    });
  }

  /** Begins calls, until there are no more, this turn's time is up or the client must read first. */
  #run(): void {
    if (this.#blocked || this.#long > 0 || this.#isAbandoned()) return;
    while (this.#begun < this.#calls.length) {
      this.#call(this.#calls[this.#begun++]!);
      if (this.#begun === this.#calls.length) break;
      if (turnIsOver() || this.#frames.bytes >= GATHERED_BYTES) this.#flush();
      // Calls that wait for the client go on when it has read.
      if (this.#blocked) return;
      if (turnIsOver()) return this.#goOn();
      // A long call holds memory until it is done: the next ones begin then.
      if (this.#long > 0) return;
    }
    // A long call must not keep the request's body in memory.
    this.#calls = [];
    this.#begun = 0;
    if (this.#unanswered === 0) this.#flush();
    else this.#flushSoon();
  }

  #call({ id, payload }: FramedCall): void {
    const before = longWork();
    try {
      const handled = this.#handler.reply(payload, this.#allowance);
      if (handled instanceof Promise) {
        const long = longWork() > before ? 1 : 0;
        this.#long += long;
        const then = (): void => {
          this.#long -= long;
          if (long > 0 && this.#begun < this.#calls.length) this.#goOn();
          this.#flushSoon();
        };
        handled.then(
          (reply) => {
            this.#answered(id, reply);
            then();
          },
          (error: unknown) => {
            this.#failed(id, error);
            then();
          },
        );
      } else {
        this.#answered(id, handled);
      }
    } catch (error) {
      this.#failed(id, error);
    }
  }

  #answered(id: number, reply: Reply): void {
    this.#frames.result(id, reply);
    this.#unanswered--;
  }

  #failed(id: number, error: unknown): void {
    const log = ++this.#failures <= LOGGED_FAILURES;
    const { status, message } = log ? logged(this.#handler, error) : asRequestError(error);
    this.#frames.error(id, status, message);
    this.#unanswered--;
  }

  /** Asynchronous calls often complete together, so their answers are sent together. */
  #flushSoon(): void {
    if (this.#flushIsDue) return;
    this.#flushIsDue = true;
    setImmediate(() => {
      this.#flushIsDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#response.writableEnded || this.#isAbandoned()) return;
    if (this.#unanswered === 0) return this.#end();
    if (this.#blocked || this.#frames.bytes === 0) return;
    if (!this.#response.headersSent) writeHead(this.#response, 200, this.#headers);
    this.#alive?.refresh();
    if (writePieces(this.#response, this.#frames.take())) return;
    this.#blocked = true;
    this.#holding?.waitsForClient(() => this.#response.destroy());
    this.#response.once("drain", () => {
      this.#blocked = false;
      this.#holding?.goesOn();
      this.#flush();
      if (this.#begun < this.#calls.length && !this.#blocked) this.#goOn();
    });
  }

  #end(): void {
    clearTimeout(this.#alive);
    const unlogged = this.#failures - LOGGED_FAILURES;
    if (unlogged > 0) this.#handler.options.logger.error({ failures: this.#failures }, `${unlogged} more calls failed`);
    const rest = this.#frames.take();
    if (!this.#response.headersSent)
      writeHead(this.#response, 200, { ...this.#headers, "content-length": String(sizeOf(rest)) });
    writePieces(this.#response, rest.slice(0, -1));
    this.#response.end(rest.at(-1));
    this.#holding?.waitsForClient(() => this.#response.destroy());
  }

  #sayAlive(): void {
    if (this.#isAbandoned()) return;
    this.#alive?.refresh();
    if (this.#blocked) return;
    this.#frames.alive();
    this.#flush();
  }

  /** Whether the client has gone away: then the calls that have not begun never will. */
  #isAbandoned(): boolean {
    if (!this.#response.destroyed && !this.#response.req.socket.destroyed) return false;
    clearTimeout(this.#alive);
    this.#calls = [];
    this.#begun = 0;
    return true;
  }
}
