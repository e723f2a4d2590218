import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";

import { childEnv } from "../process/environment.js";
import { UserError } from "../terminal/user-error.js";
import { cacheDir } from "./cache-folder.js";
import type { Progress } from "./cache.js";

const PROGRESS_MS = 5_000;

export interface BuildStep {
  readonly what: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What to say when it fails; followed by where its log is. */
  readonly failure: string;
  readonly progress: Progress;
}

/** Runs a download or build; reports its last line of output every few seconds. @throws {UserError} when it fails */
export async function build({ what, command, args, env, failure, progress }: BuildStep): Promise<void> {
  const log = join(cacheDir(), "logs", `${what.replace(/\W+/g, "-")}.log`);
  mkdirSync(dirname(log), { recursive: true });
  const startedAt = Date.now();
  const seconds = () => `${Math.round((Date.now() - startedAt) / 1000)} s`;
  progress(`${what} …`);
  const output = createWriteStream(log);
  let lastLine = "";
  const timer = setInterval(
    () => progress(`${what} … ${seconds()}${lastLine && `: ${lastLine.slice(0, 100)}`}`),
    PROGRESS_MS,
  );
  try {
    const code = await new Promise<number>((resolve, reject) => {
      const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: childEnv(env) });
      const onData = (chunk: Buffer) => {
        output.write(chunk);
        const line = stripVTControlCharacters(chunk.toString()).trimEnd().split("\n").at(-1)!.trim();
        if (line !== "") lastLine = line;
      };
      child.stdout.on("data", onData);
      child.stderr.on("data", onData);
      child.on("error", reject);
      child.on("close", (exit) => resolve(exit ?? 1));
    });
    if (code !== 0) throw new UserError(`${failure} (log: ${log})`);
    progress(`${what}: done in ${seconds()}`);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${failure} (${error instanceof Error ? error.message : String(error)})`, { cause: error });
  } finally {
    clearInterval(timer);
    output.end();
  }
}
