import { given } from "../process/environment.js";

/**
 * The headers that the intake's HTTP door wants: `INTAKE_TOKEN` of the environment, or `INTAKE_LABEL_TOKEN` for labels,
 * which the parts of a cluster have from the same. Empty counts as not set.
 */
export function intakeHeaders(
  env: NodeJS.ProcessEnv = process.env,
  kind: "transactions" | "labels" = "transactions",
): Readonly<Record<string, string>> {
  const token = given(env)[kind === "labels" ? "INTAKE_LABEL_TOKEN" : "INTAKE_TOKEN"];
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}
