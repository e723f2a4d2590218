import { FromFunction, type ToFunction_InvocationBatchRequest } from "./gen/io/statefun/reqreply.js";
import { fromWire } from "./address.js";
import { AnyMessage, encode } from "./any.js";
import { BatchContext, type Context } from "./context.js";
import { RequestError, TerminalError } from "./errors.js";
import { errorText, shown } from "./shown.js";
import type { Binding } from "./stateful-functions.js";
import { beginTurn, inNextTurn, turnIsOver } from "./turns.js";

/** Batches of fewer messages than this run in one go. */
const LONG = 32;
/** In a longer batch, how many messages run before the clock is checked. */
const STRIDE = 8;

/**
 * Takes a message on which a function has failed for good, by throwing a {@link TerminalError}. What the function had
 * done with it is undone, and what this handler does instead, such as writing it to a topic of rejected messages, takes
 * its place.
 */
export type DeadLetterHandler = (context: Context, message: AnyMessage, error: TerminalError) => void | Promise<void>;

/**
 * Runs a batch's messages in order, and returns an encoded FromFunction. Synchronous as long as the functions are.
 *
 * @throws {RequestError} (or rejects with it) when a function fails; then nothing of the batch has happened
 */
export function runBatch(
  binding: Binding,
  request: ToFunction_InvocationBatchRequest,
  deadLetter: DeadLetterHandler | undefined,
): Uint8Array | Promise<Uint8Array> {
  try {
    const reply = new Batch(binding, request, undefined).run(0);
    return reply instanceof Promise
      ? reply.catch((cause: unknown) => runCarefully(binding, request, deadLetter, cause))
      : reply;
  } catch (cause) {
    return runCarefully(binding, request, deadLetter, cause);
  }
}

function runCarefully(
  binding: Binding,
  request: ToFunction_InvocationBatchRequest,
  deadLetter: DeadLetterHandler | undefined,
  cause: unknown,
): Uint8Array | Promise<Uint8Array> {
  if (cause instanceof TerminalError && deadLetter !== undefined) return new Batch(binding, request, deadLetter).run(0);
  throw failure(request, cause);
}

/**
 * One run of a batch. Undoing a single message needs a savepoint before each one, which costs an encoding of the
 * changed state; so a batch first runs without savepoints, and again with a dead-letter handler only when a message
 * turns out to need it.
 */
class Batch {
  readonly #binding: Binding;
  readonly #request: ToFunction_InvocationBatchRequest;
  readonly #deadLetter: DeadLetterHandler | undefined;
  readonly #context: BatchContext;

  constructor(binding: Binding, request: ToFunction_InvocationBatchRequest, deadLetter: DeadLetterHandler | undefined) {
    this.#binding = binding;
    this.#request = request;
    this.#deadLetter = deadLetter;
    this.#context = new BatchContext(request, binding.states);
  }

  /** Runs the messages from `from` on; goes asynchronous at the first function that does, or when its turn is over. */
  run(from: number): Uint8Array | Promise<Uint8Array> {
    const { invocations } = this.#request;
    const long = invocations.length - from > LONG;
    if (long) beginTurn();
    for (let at = from; at < invocations.length; at++) {
      const { caller, argument } = invocations[at]!;
      this.#context.caller = caller === undefined ? undefined : fromWire(caller);
      const pending = this.#invoke(new AnyMessage(argument?.typename ?? "", argument?.value ?? Buffer.alloc(0)));
      if (pending instanceof Promise)
        return pending.then(() => (long && turnIsOver() ? this.#goOn(at + 1) : this.run(at + 1)));
      if (long && at % STRIDE === 0 && turnIsOver()) return this.#goOn(at + 1);
    }
    return encode(FromFunction, { response: { $case: "invocationResult", value: this.#context.finish() } });
  }

  /** Others have their turn first, but no other batch begins while this one holds its memory. */
  #goOn(at: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) =>
      inNextTurn(() => {
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
    const bury = (cause: unknown): void | Promise<void> => {
      if (!(cause instanceof TerminalError)) throw failure(this.#request, cause);
      this.#context.rollback();
      return this.#guarded(() => this.#deadLetter!(this.#context, message, cause));
    };
    this.#context.savepoint();
    try {
      const pending = this.#binding.run(this.#context, message);
      return pending instanceof Promise ? pending.catch(bury) : pending;
    } catch (cause) {
      return bury(cause);
    }
  }

  /**
   * What the dead-letter handler throws fails the call, TerminalErrors included: there is nowhere else for the message
   * to go.
   */
  #guarded(run: () => void | Promise<void>): void | Promise<void> {
    const fail = (cause: unknown): never => {
      throw failure(this.#request, cause);
    };
    try {
      const pending = run();
      return pending instanceof Promise ? pending.catch(fail) : pending;
    } catch (cause) {
      return fail(cause);
    }
  }
}

function failure({ target }: ToFunction_InvocationBatchRequest, cause: unknown): RequestError {
  if (cause instanceof RequestError) return cause;
  const { typename, id } = fromWire(target!);
  return new RequestError("FUNCTION_FAILED", 500, `${shown(`${typename}/${id}`)} failed: ${errorText(cause)}`, {
    cause,
  });
}
