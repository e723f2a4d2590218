import { type ProblemDetails, problemDetails } from "../../http/problem-details.js";
import { type Problem, reasonName } from "../problem.js";

/** A problem whose kind has a name. */
export interface NamedProblem extends ProblemDetails {
  /** The rule that was broken, such as `MISSING_FIELD`. */
  readonly reason: string;
  /** The field that broke it. */
  readonly field?: string;
}

const TITLES = { 400: "The request is not valid", 409: "The id belongs to different content" } as const;

export const namedProblem = (
  status: keyof typeof TITLES,
  detail: string,
  reason: string,
  field?: string,
): NamedProblem => ({
  ...problemDetails(status, detail),
  type: `urn:fraud-detection:problem:${reason.toLowerCase().replaceAll("_", "-")}`,
  title: TITLES[status],
  reason,
  ...(field !== undefined && field !== "" && { field }),
});

/** Why an input was refused. */
export const refusalDetails = ({ reason, message, field }: Problem): NamedProblem =>
  namedProblem(400, message, reasonName(reason), field);
