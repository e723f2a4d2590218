import { FromFunction, ToFunction, type ToFunction_InvocationBatchRequest } from "./gen/io/statefun/reqreply.js";
import { fromWire } from "./address.js";
import { type DeadLetterHandler, runBatch } from "./batch.js";
import { RequestError } from "./errors.js";
import { requireCount, tooMany } from "./count.js";
import { shown } from "./shown.js";
import type { StatefulFunctions } from "./stateful-functions.js";

const DEFAULT_MAX_BATCH_CALLS = 4_096;
const DEFAULT_MAX_INVOCATIONS = 16_384;

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
   * The most messages that one call may hold; 16,384 unless set. Decoded, an empty message takes a hundred times its
   * bytes. `maxNumBatchRequests` in `module.yaml` must be far lower: it is where StateFun begins to hold back what
   * comes from outside, and what is already on its way comes on top.
   */
  readonly maxInvocations?: number;
  readonly logger: Logger;
  /** Takes messages on which a function throws a TerminalError; without it those fail the call like any other. */
  readonly deadLetter?: DeadLetterHandler;
}

/** Serves StateFun's request-reply protocol for a set of functions. */
export class RequestReplyHandler {
  readonly options: RequestReplyHandlerOptions &
    Required<Pick<RequestReplyHandlerOptions, "maxBatchCalls" | "maxInvocations">>;
  readonly #functions: StatefulFunctions;

  constructor(functions: StatefulFunctions, options: RequestReplyHandlerOptions) {
    this.#functions = functions;
    this.options = {
      ...options,
      maxBatchCalls: options.maxBatchCalls ?? DEFAULT_MAX_BATCH_CALLS,
      maxInvocations: options.maxInvocations ?? DEFAULT_MAX_INVOCATIONS,
    };
  }

  /**
   * Runs one batch: an encoded ToFunction in, an encoded FromFunction out. Synchronous as long as the functions are,
   * and quick: a promise costs more than a small batch, and a long one must let others have their turns.
   *
   * @throws {RequestError} (or rejects with it) when the request is malformed, names an unknown function, or a function
   *   failed; then nothing of the batch has happened
   */
  handle(body: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const request = decodeRequest(body, this.options.maxInvocations);
    const { typename } = fromWire(request.target!);
    const binding = this.#functions.find(typename);
    if (binding === undefined) {
      throw new RequestError(
        "UNKNOWN_FUNCTION",
        404,
        `no function is bound to ${shown(typename)} (bound: ${this.#functions.typenames.join(", ")})`,
      );
    }
    const missing = binding.states.filter(({ name }) => !request.state.some(({ stateName }) => stateName === name));
    if (missing.length > 0) {
      return FromFunction.encode({
        response: { $case: "incompleteInvocationContext", value: { missingValues: missing.map(({ wire }) => wire) } },
      }).finish();
    }
    return runBatch(binding, request, this.options.deadLetter);
  }
}

function decodeRequest(body: Uint8Array, maxInvocations: number): ToFunction_InvocationBatchRequest {
  requireCount(body, maxInvocations);
  let request: ToFunction;
  try {
    request = ToFunction.decode(body);
  } catch (cause) {
    throw new RequestError("MALFORMED_REQUEST", 400, "the body is not a ToFunction message", { cause });
  }
  const batch = request.request?.value;
  if (batch?.target === undefined || batch.invocations.length === 0) {
    throw new RequestError(
      "MALFORMED_REQUEST",
      400,
      "the request holds no invocation batch with a target and a message",
    );
  }
  if (batch.invocations.length > maxInvocations) throw tooMany(maxInvocations);
  return batch;
}
