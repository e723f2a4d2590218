import { errorText, shown } from "./shown.js";

/** What went wrong, as a stable code for logs and tests. */
export type StatefunErrorCode =
  | "MALFORMED_REQUEST"
  | "UNKNOWN_FUNCTION"
  | "FUNCTION_FAILED"
  | "OVERLOADED"
  | "TERMINAL"
  | "WRONG_TYPE"
  | "UNREADABLE_MESSAGE"
  | "UNDECLARED_STATE"
  | "NO_CALLER"
  | "NOT_ACCEPTED"
  | "INVALID_BINDING"
  | "INVALID_ARGUMENT";

/** Base of all errors of this SDK. */
export class StatefunError extends Error {
  constructor(
    readonly code: StatefunErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A value was unpacked or packed as a different type from its own. */
export class WrongTypeError extends StatefunError {
  constructor(what: string, expected: string, found: string) {
    super("WRONG_TYPE", `${what} is a ${shown(found)}, not a ${expected}`);
  }
}

/** The bytes are not a message of the type that they claim to be. */
export class UnreadableMessageError extends StatefunError {
  constructor(typeName: string, cause: unknown) {
    super("UNREADABLE_MESSAGE", `the bytes are not a ${typeName}: ${errorText(cause)}`, { cause });
  }
}

/**
 * Thrown by a function for a message that will fail however often it is repeated. The message goes to the handler's
 * `deadLetter`, and the rest of its batch succeeds. Anything else that a function throws fails the call, which StateFun
 * repeats.
 */
export class TerminalError extends StatefunError {
  constructor(message: string, options?: ErrorOptions) {
    super("TERMINAL", message, options);
  }
}

/** The request cannot be served; `status` is the HTTP status to answer with. StateFun repeats every failed call. */
export class RequestError extends StatefunError {
  constructor(
    code: "MALFORMED_REQUEST" | "UNKNOWN_FUNCTION" | "FUNCTION_FAILED" | "OVERLOADED",
    readonly status: 400 | 404 | 413 | 415 | 500 | 503,
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }
}

/** A request's answers would have more bytes than they may. */
export class ReplyTooLargeError extends RequestError {
  constructor(maxBytes: number) {
    super("FUNCTION_FAILED", 500, `the reply would have more than ${maxBytes} bytes`);
  }
}
