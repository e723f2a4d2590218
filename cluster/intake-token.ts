/**
 * The headers that the intake's HTTP door wants: `INTAKE_TOKEN` of the environment, which the parts of a cluster have from the same. Empty
 * counts as not set.
 */
export function intakeHeaders(env: Readonly<Record<string, string | undefined>> = process.env): Readonly<Record<string, string>> {
  const token = env["INTAKE_TOKEN"]?.trim();
  return token ? { authorization: `Bearer ${env["INTAKE_TOKEN"]}` } : {};
}
