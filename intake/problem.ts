import { IntakeReason } from "../protos/gen/fraud/v1/intake.js";

/** Why an input was refused. */
export interface Problem {
  readonly reason: IntakeReason;
  /** For people: the field, and the rule that it breaks. */
  readonly message: string;
  /** The field's name in JSON, such as `location.latitudeE6`; empty when there is not a single one. */
  readonly field: string;
}

/** An input is refused. */
export class RefusedError extends Error implements Problem {
  override readonly name = "RefusedError";
  constructor(
    readonly reason: IntakeReason,
    message: string,
    readonly field = "",
  ) {
    super(message);
  }
}

/** A reason's name as users see it, such as `MISSING_FIELD`. */
export const reasonName = (reason: IntakeReason): string => IntakeReason[reason] ?? String(reason);
