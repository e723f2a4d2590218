import { given } from "../../process/environment.js";
import { UserError } from "../../terminal/user-error.js";

/** A variable that docker-compose.yml gives to the service. @throws {UserError} when it is not set */
export function serviceVariable(service: string, name: string): string {
  const value = given()[name];
  if (value === undefined)
    throw new UserError(`${name} is not set. This runs as the service "${service}" of docker-compose.yml.`);
  return value;
}

/** Runs a service's program, and ends the process with what came of it: 0, or 1 and the error. */
export async function runService(main: () => Promise<void>): Promise<never> {
  try {
    await main();
    process.exit(0);
  } catch (error) {
    serviceFailed(error);
  }
}

/** Says why a service's program ends, and ends the process with 1. */
export function serviceFailed(error: unknown): never {
  process.stderr.write(
    error instanceof UserError
      ? `error: ${error.message}\n`
      : `${error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exit(1);
}
