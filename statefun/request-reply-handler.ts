import { FromFunction } from "./gen/io/statefun/reqreply.js";
import { fromWire } from "./address.js";
import { type DeadLetterHandler, runBatch } from "./batch.js";
import { CallRequest } from "./call-request.js";
import { ReplyTooLargeError, RequestError } from "./errors.js";
import { HeldBytes } from "./held-bytes.js";
import { joined, type Reply, sizeOf } from "./reply.js";
import { shown } from "./shown.js";
import type { StatefulFunctions } from "./stateful-functions.js";

const DEFAULT_MAX_BATCH_CALLS = 4_096;
const DEFAULT_MAX_INVOCATIONS = 16_384;
const DEFAULT_MAX_VALUE_BYTES = 256 * 1024;
/** Times the largest request: what functions send on is about as much as they got. */
const DEFAULT_REPLY_FACTOR = 2;
const DEFAULT_HELD_FACTOR = 16;

/** Where failed calls are reported; pino's logger fits. */
export interface Logger {
  /** Takes one failed call. @param details - `err` (the cause), `code` and `status` */
  error(details: object, message: string): void;
}

/** Options of a {@link RequestReplyHandler}. */
export interface RequestReplyHandlerOptions {
  /** The largest request taken, in bytes; must exceed the largest record times StateFun's batch bound, plus state. */
  readonly maxBodyBytes: number;
  /** The most calls that one request of the batch route may hold; 4,096 unless set. */
  readonly maxBatchCalls?: number;
  /**
   * The most messages that one request may hold, of all its calls; 16,384 unless set. An empty one has two bytes, and
   * takes as much time as another. `maxNumBatchRequests` in `module.yaml` must be far lower: it is where StateFun
   * begins to hold back what comes from outside, and what is already on its way comes on top.
   */
  readonly maxInvocations?: number;
  /**
   * The largest message and the largest state value taken, in bytes; 256 KiB each unless set. They are decoded in one
   * go, and may then take fifty times as much.
   */
  readonly maxMessageBytes?: number;
  readonly maxStateBytes?: number;
  /** The largest reply to a request; twice `maxBodyBytes` unless set. */
  readonly maxReplyBytes?: number;
  /**
   * The most bytes of all requests together that are being received or worked on, with their answers; 16 times
   * `maxBodyBytes` unless set. Beyond that a request is answered with 503, which StateFun's transports repeat.
   */
  readonly maxHeldBytes?: number;
  readonly logger: Logger;
  /** Takes messages on which a function throws a TerminalError; without it those fail the call like any other. */
  readonly deadLetter?: DeadLetterHandler;
}

/** Options, with their defaults. */
type Given = RequestReplyHandlerOptions &
  Required<
    Pick<
      RequestReplyHandlerOptions,
      "maxBatchCalls" | "maxInvocations" | "maxMessageBytes" | "maxStateBytes" | "maxReplyBytes" | "maxHeldBytes"
    >
  >;

/** What is left of what one HTTP request may cost. */
export interface Allowance {
  invocations: number;
  replyBytes: number;
}

/** Serves StateFun's request-reply protocol for a set of functions. */
export class RequestReplyHandler {
  /** @internal */
  readonly options: Given;
  /** @internal */
  readonly held: HeldBytes;
  readonly #functions: StatefulFunctions;

  constructor(functions: StatefulFunctions, options: RequestReplyHandlerOptions) {
    this.#functions = functions;
    this.options = {
      ...options,
      maxBatchCalls: options.maxBatchCalls ?? DEFAULT_MAX_BATCH_CALLS,
      maxInvocations: options.maxInvocations ?? DEFAULT_MAX_INVOCATIONS,
      maxMessageBytes: options.maxMessageBytes ?? DEFAULT_MAX_VALUE_BYTES,
      maxStateBytes: options.maxStateBytes ?? DEFAULT_MAX_VALUE_BYTES,
      maxReplyBytes: options.maxReplyBytes ?? DEFAULT_REPLY_FACTOR * options.maxBodyBytes,
      maxHeldBytes: options.maxHeldBytes ?? DEFAULT_HELD_FACTOR * options.maxBodyBytes,
    };
    this.held = new HeldBytes(this.options.maxHeldBytes);
  }

  /**
   * Runs one batch: an encoded ToFunction in, an encoded FromFunction out. Synchronous as long as the functions are,
   * and quick: a promise costs more than a small batch, and a long one must let others have their turns.
   *
   * @throws {RequestError} (or rejects with it) when the request is malformed, names an unknown function, or a function
   *   failed; then nothing of the batch has happened
   */
  handle(body: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const reply = this.reply(body);
    return reply instanceof Promise ? reply.then(joined) : joined(reply);
  }

  /**
   * What one HTTP request may cost; calls that come together share it.
   *
   * @internal
   */
  allowance(): Allowance {
    const { maxInvocations, maxReplyBytes } = this.options;
    return { invocations: maxInvocations, replyBytes: maxReplyBytes };
  }

  /**
   * As {@link handle}, without joining the pieces of a large reply, which would take as much memory again.
   *
   * @internal
   * @param allowance - used up by what the call takes; calls with the same one must begin one after the other
   */
  reply(body: Uint8Array, allowance = this.allowance()): Reply | Promise<Reply> {
    const request = new CallRequest(body, this.options, allowance.invocations);
    allowance.invocations -= request.length;
    const { typename } = fromWire(request.target);
    const binding = this.#functions.find(typename);
    if (binding === undefined) {
      throw new RequestError(
        "UNKNOWN_FUNCTION",
        404,
        `no function is bound to ${shown(typename)} (bound: ${this.#functions.typenames.join(", ")})`,
      );
    }
    const received = request.states(binding.states.map(({ name }) => name));
    const missing = binding.states.filter(({ name }) => !received.has(name));
    if (missing.length > 0) {
      return [
        FromFunction.encode({
          response: { $case: "incompleteInvocationContext", value: { missingValues: missing.map(({ wire }) => wire) } },
        }).finish(),
      ];
    }
    const maxReplyBytes = allowance.replyBytes;
    if (maxReplyBytes <= 0) throw new ReplyTooLargeError(this.options.maxReplyBytes);
    try {
      const reply = runBatch({ binding, request, received, maxReplyBytes }, this.options.deadLetter);
      return reply instanceof Promise
        ? reply.then(
            (done) => used(allowance, done),
            (error: unknown) => failed(allowance, error),
          )
        : used(allowance, reply);
    } catch (error) {
      return failed(allowance, error);
    }
  }
}

function used(allowance: Allowance, reply: Reply): Reply {
  allowance.replyBytes -= sizeOf(reply);
  return reply;
}

/** Once an answer had no room, the request's other calls would only make more that has none. */
function failed(allowance: Allowance, error: unknown): never {
  if (error instanceof ReplyTooLargeError) allowance.replyBytes = 0;
  throw error;
}
