import { given } from "../process/environment.js";

/**
 * The headers that the intake's HTTP door wants: `INTAKE_TOKEN` of the environment, which the parts of a cluster have
 * from the same. Empty counts as not set.
 */
export function intakeHeaders(env: NodeJS.ProcessEnv = process.env): Readonly<Record<string, string>> {
  const token = given(env)["INTAKE_TOKEN"];
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}
