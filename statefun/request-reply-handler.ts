import type { IncomingMessage, ServerResponse } from "node:http";

import { FromFunction, ToFunction, type ToFunction_Invocation, type ToFunction_InvocationBatchRequest } from "../protos/gen/io/statefun/reqreply.js";
import { fromWire } from "./address.js";
import { AnyMessage } from "./any.js";
import { answerEvent, type ApiGatewayEvent, type ApiGatewayResult } from "./aws-lambda.js";
import { BatchContext } from "./context.js";
import { RequestError } from "./errors.js";
import { serve } from "./http.js";
import type { Binding, StatefulFunctions } from "./stateful-functions.js";

/** Where failed calls are reported; pino's logger fits. */
export interface Logger {
  error(details: object, message: string): void;
}

export interface RequestReplyHandlerOptions {
  /** The largest request taken, in bytes; must exceed the largest record times StateFun's batch bound, plus state. */
  readonly maxBodyBytes: number;
  readonly logger: Logger;
}

/** Serves StateFun's request-reply protocol for a set of functions. */
export class RequestReplyHandler {
  readonly options: RequestReplyHandlerOptions;
  readonly #functions: StatefulFunctions;

  constructor(functions: StatefulFunctions, options: RequestReplyHandlerOptions) {
    this.#functions = functions;
    this.options = options;
  }

  /**
   * Runs one batch: an encoded ToFunction in, an encoded FromFunction out. Synchronous as long as the functions are: a
   * promise costs more than a small batch.
   *
   * @throws {RequestError} (or rejects with it) when the request is malformed, names an unknown function, or a function
   *   failed; then nothing of the batch has happened
   */
  handle(body: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const request = decodeRequest(body);
    const { typename } = fromWire(request.target!);
    const binding = this.#functions.find(typename);
    if (binding === undefined) {
      throw new RequestError("UNKNOWN_FUNCTION", 404, `no function is bound to ${typename} (bound: ${this.#functions.typenames.join(", ")})`);
    }
    const missing = binding.states.filter(({ name }) => !request.state.some(({ stateName }) => stateName === name));
    if (missing.length > 0) {
      return FromFunction.encode({ response: { $case: "incompleteInvocationContext", value: { missingValues: missing.map(({ wire }) => wire) } } }).finish();
    }
    const context = new BatchContext(request, binding.states);
    return runBatch(binding, context, request.invocations, 0);
  }

  /** A listener for `node:http`, to be called for the one path that `module.yaml` names. */
  nodeHttp(): (request: IncomingMessage, response: ServerResponse) => void {
    return (request, response) => void serve(this, request, response);
  }

  /** Express middleware, for `app.use("/statefun", handler.express())`. Mount it before body parsers. */
  express(): (request: IncomingMessage, response: ServerResponse) => void {
    return this.nodeHttp();
  }

  /** An AWS Lambda handler for API Gateway's payload formats 1.0 and 2.0, and for function URLs. */
  awsLambda(): (event: ApiGatewayEvent) => Promise<ApiGatewayResult> {
    return (event) => answerEvent(this, event);
  }
}

function decodeRequest(body: Uint8Array): ToFunction_InvocationBatchRequest {
  let request: ToFunction;
  try {
    request = ToFunction.decode(body);
  } catch (cause) {
    throw new RequestError("MALFORMED_REQUEST", 400, "the body is no ToFunction message", { cause });
  }
  const batch = request.request?.value;
  if (batch?.target === undefined || batch.invocations.length === 0) {
    throw new RequestError("MALFORMED_REQUEST", 400, "the request holds no invocation batch with a target and a message");
  }
  return batch;
}

/** Runs the messages from `from` on, in order; goes asynchronous at the first function that does. */
function runBatch(binding: Binding, context: BatchContext, invocations: readonly ToFunction_Invocation[], from: number): Uint8Array | Promise<Uint8Array> {
  try {
    for (let at = from; at < invocations.length; at++) {
      const { caller, argument } = invocations[at]!;
      context.caller = caller === undefined ? undefined : fromWire(caller);
      const pending = binding.run(context, new AnyMessage(argument?.typename ?? "", argument?.value ?? Buffer.alloc(0)));
      if (pending instanceof Promise) {
        return pending.then(
          () => runBatch(binding, context, invocations, at + 1),
          (cause: unknown) => Promise.reject(failed(context, cause)),
        );
      }
    }
    return FromFunction.encode({ response: { $case: "invocationResult", value: context.finish() } }).finish();
  } catch (cause) {
    throw failed(context, cause);
  }
}

function failed({ address }: BatchContext, cause: unknown): RequestError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new RequestError("FUNCTION_FAILED", 500, `${address.typename}/${address.id} failed: ${why}`, { cause });
}
