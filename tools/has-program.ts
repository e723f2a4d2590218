import { spawnSync } from "node:child_process";

/**
 * Whether a program is on this machine and answers.
 *
 * @param args - arguments that make it answer and end at once, such as `--version`
 */
export function hasProgram(name: string, ...args: readonly string[]): boolean {
  const { error, status } = spawnSync(name, args, { stdio: "ignore" });
  return error === undefined && status === 0;
}
