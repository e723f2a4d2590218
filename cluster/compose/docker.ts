import { spawnSync } from "node:child_process";

import { childEnv } from "../../process/environment.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { type Finished, startProgram } from "../../process/run-command.js";
import { UserError } from "../../terminal/user-error.js";

const ANSWER_MS = 20_000;

/** Runs the docker program; resolves with what it printed, however it ended. */
export const docker = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> =>
  startProgram("docker", args, childEnv(env)).finished;

/**
 * Runs the docker program, which must succeed.
 *
 * @returns its standard output
 * @throws {UserError} with what it said
 */
export async function dockerOk(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { code, stdout, stderr } = await docker(args, env);
  if (code !== 0) throw new UserError(`docker ${args[0]!} ${args[1] ?? ""} failed: ${lastWords(stderr || stdout)}`);
  return stdout;
}

/** The same synchronously, for what takes milliseconds. */
export function dockerNow(args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const { error, status, stdout, stderr } = spawnSync("docker", args, {
    cwd: REPOSITORY_ROOT,
    encoding: "utf8",
    timeout: ANSWER_MS,
    env: childEnv(env),
  });
  if (error !== undefined || status !== 0)
    throw new UserError(`docker ${args[0]!} ${args[1] ?? ""} failed: ${error?.message ?? lastWords(stderr)}`);
  return stdout;
}

const lastWords = (text: string): string => text.trim().split("\n").slice(-3).join(" / ") || "it said nothing";
