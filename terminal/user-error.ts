/**
 * What kind of failure it is, for programs that react to it: `tool-missing`, a program that this machine lacks;
 * `not-found`, what was asked for is not there.
 */
export type UserErrorCode = "tool-missing" | "not-found";

export interface UserErrorOptions extends ErrorOptions {
  readonly code?: UserErrorCode;
}

/** A failure that a person can mend: one line that names the cause and the cure. Commands print it without a stack. */
export class UserError extends Error {
  readonly code: UserErrorCode | undefined;

  constructor(message: string, { code, ...options }: UserErrorOptions = {}) {
    super(message, options);
    this.name = "UserError";
    this.code = code;
  }
}
