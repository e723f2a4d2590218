import { fromWire } from "./address.js";
import { AnyMessage } from "./any.js";
import type { CallRequest } from "./call-request.js";
import { BatchContext, type Context } from "./context.js";
import { RequestError, TerminalError } from "./errors.js";
import type { Reply } from "./reply.js";
import { errorText, shown } from "./shown.js";
import type { Binding } from "./stateful-functions.js";
import { inNextTurn, SHARE_MS } from "./turns.js";

/** Batches of no more messages than this, and of no more bytes, run without a look at the clock. */
const SHORT = 8;
const SHORT_BYTES = 8 * 1024;

/**
 * Takes a message on which a function has failed for good, by throwing a {@link TerminalError}. What the function had
 * done with it is undone, and what this handler does instead, such as writing it to a topic of rejected messages, takes
 * its place.
 */
export type DeadLetterHandler = (context: Context, message: AnyMessage, error: TerminalError) => void | Promise<void>;

/** A batch that can run: its function, and what StateFun sent for it. */
export interface Runnable {
  readonly binding: Binding;
  readonly request: CallRequest;
  /** The values of all states that the function declares. */
  readonly received: ReadonlyMap<string, Buffer | undefined>;
  readonly maxReplyBytes: number;
}

/**
 * Runs a batch's messages in order, and returns an encoded FromFunction. Synchronous as long as the functions are.
 *
 * @throws {RequestError} (or rejects with it) when a function fails; then nothing of the batch has happened
 */
export function runBatch(runnable: Runnable, deadLetter: DeadLetterHandler | undefined): Reply | Promise<Reply> {
  try {
    const reply = new Batch(runnable, undefined).run(0);
    return reply instanceof Promise
      ? reply.catch((cause: unknown) => runCarefully(runnable, deadLetter, cause))
      : reply;
  } catch (cause) {
    return runCarefully(runnable, deadLetter, cause);
  }
}

function runCarefully(
  runnable: Runnable,
  deadLetter: DeadLetterHandler | undefined,
  cause: unknown,
): Reply | Promise<Reply> {
  if (cause instanceof TerminalError && deadLetter !== undefined) return new Batch(runnable, deadLetter).run(0);
  throw failure(runnable.request, cause);
}

/**
 * One run of a batch. Undoing a single message needs a savepoint before each one, which costs an encoding of the
 * changed state; so a batch first runs without savepoints, and again with a dead-letter handler only when a message
 * turns out to need it.
 */
class Batch {
  readonly #binding: Binding;
  readonly #request: CallRequest;
  readonly #deadLetter: DeadLetterHandler | undefined;
  readonly #context: BatchContext;
  readonly #isLong: boolean;
  /** When its share of this turn is used up. */
  #untilMs = Infinity;

  constructor({ binding, request, received, maxReplyBytes }: Runnable, deadLetter: DeadLetterHandler | undefined) {
    this.#binding = binding;
    this.#request = request;
    this.#deadLetter = deadLetter;
    this.#context = new BatchContext(request, binding.states, received, maxReplyBytes);
    this.#isLong = request.length > SHORT || request.bytes > SHORT_BYTES;
    if (this.#isLong) this.#untilMs = performance.now() + SHARE_MS;
  }

  /** Runs the messages from `from` on; goes asynchronous at the first function that does, or when its share is over. */
  run(from: number): Reply | Promise<Reply> {
    for (let at = from; at < this.#request.length; at++) {
      const { caller, typename, value } = this.#request.invocation(at);
      this.#context.caller = caller === undefined ? undefined : fromWire(caller);
      const pending = this.#invoke(new AnyMessage(typename, value));
      if (pending instanceof Promise)
        return pending.then(() => (this.#shouldYield() ? this.#goOn(at + 1) : this.run(at + 1)));
      if (at + 1 < this.#request.length && this.#shouldYield()) return this.#goOn(at + 1);
    }
    return this.#context.finish();
  }

  #shouldYield(): boolean {
    return this.#isLong && performance.now() >= this.#untilMs;
  }

  /** Others have their turn first, but no other long batch begins while this one holds its memory. */
  #goOn(at: number): Promise<Reply> {
    return new Promise((resolve, reject) =>
      inNextTurn(() => {
        this.#untilMs = performance.now() + SHARE_MS;
        try {
          resolve(this.run(at));
        } catch (error) {
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever was thrown
          reject(error);
        }
      }),
    );
  }

  #invoke(message: AnyMessage): void | Promise<void> {
    if (this.#deadLetter === undefined) return this.#binding.run(this.#context, message);
    this.#context.savepoint();
    try {
      const pending = this.#binding.run(this.#context, message);
      return pending instanceof Promise ? pending.catch((cause: unknown) => this.#bury(message, cause)) : pending;
    } catch (cause) {
      return this.#bury(message, cause);
    }
  }

  #bury(message: AnyMessage, cause: unknown): void | Promise<void> {
    if (!(cause instanceof TerminalError)) throw failure(this.#request, cause);
    this.#context.rollback();
    return this.#guarded(() => this.#deadLetter!(this.#context, message, cause));
  }

  /**
   * What the dead-letter handler throws fails the call, TerminalErrors included: there is nowhere else for the message
   * to go.
   */
  #guarded(run: () => void | Promise<void>): void | Promise<void> {
    try {
      const pending = run();
      return pending instanceof Promise ? pending.catch((cause: unknown) => this.#failed(cause)) : pending;
    } catch (cause) {
      return this.#failed(cause);
    }
  }

  #failed(cause: unknown): never {
    throw failure(this.#request, cause);
  }
}

function failure({ target }: CallRequest, cause: unknown): RequestError {
  if (cause instanceof RequestError) return cause;
  const { typename, id } = fromWire(target);
  return new RequestError("FUNCTION_FAILED", 500, `${shown(`${typename}/${id}`)} failed: ${errorText(cause)}`, {
    cause,
  });
}
