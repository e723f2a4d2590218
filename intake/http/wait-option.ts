import { IntakeReason } from "../../protos/gen/fraud/v1/intake.js";
import { RefusedError } from "../problem.js";

const MAX_WAIT_MS = 30_000;

/** Whether and for what a client waits. */
export interface WaitOption {
  readonly timeoutMs: number;
  /** Only for a committed decision. */
  readonly committed: boolean;
}

/** Reads `?wait=2s`, `?wait=500ms`, and `&for=committed`. @throws {RefusedError} */
export function waitOption({
  wait,
  for: what,
}: {
  readonly wait?: unknown;
  readonly for?: unknown;
}): WaitOption | undefined {
  if (what !== undefined && what !== "committed" && what !== "provisional")
    throw invalid("for", "must be committed or provisional");
  if (wait === undefined) return undefined;
  const match = typeof wait === "string" ? /^(\d{1,6})(ms|s)$/.exec(wait) : null;
  const timeoutMs = match === null ? NaN : Number(match[1]) * (match[2] === "s" ? 1000 : 1);
  if (!(timeoutMs > 0 && timeoutMs <= MAX_WAIT_MS))
    throw invalid("wait", `must be a time such as 2s or 500ms, ${MAX_WAIT_MS / 1000} s at most`);
  return { timeoutMs, committed: what === "committed" };
}

const invalid = (field: string, rule: string): RefusedError =>
  new RefusedError(IntakeReason.INVALID_VALUE, `${field} ${rule}`, field);
