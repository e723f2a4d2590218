/** A failure that a person can mend: one line that names the cause and the cure. Commands print it without a stack. */
export class UserError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UserError";
  }
}
