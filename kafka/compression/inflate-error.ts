/** Why bytes were not unpacked. */
export class InflateError extends Error {
  override readonly name = "InflateError";
  constructor(
    /** `too-large`: beyond the bound; `damaged`: they are not what their codec makes. */
    readonly kind: "too-large" | "damaged",
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** That something would be larger than it may. */
export const tooLarge = (maxBytes: number): InflateError =>
  new InflateError("too-large", `it unpacks to more than ${maxBytes} bytes`);
