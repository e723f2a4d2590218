import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { childEnv } from "../../process/environment.js";
import { poll } from "../../process/poll.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { UserError } from "../../terminal/user-error.js";
import { describe } from "../cluster.js";
import type { ClusterSettings } from "../settings.js";
import { requireNotRunning } from "./lock.js";
import { type Exit, lastLines, logFile, rotateLog } from "./managed-process.js";

/** Includes building the tools. */
const LIMIT_MS = 20 * 60_000;

/** What a process in the background tells the one that started it: everything runs, or why it does not. */
export type News = { readonly ready: true } | { readonly refused: string };

/** A program that reports its {@link News}. */
export interface BackgroundProgram {
  readonly command: string;
  readonly args: readonly string[];
}

const upAgain = (argv: readonly string[]): BackgroundProgram => ({
  command: process.execPath,
  args: ["run.mjs", "cluster", ...argv.filter((arg) => arg !== "--detach")],
});

/**
 * Runs `npm run cluster -- up` in the background and returns once that process says that its cluster runs. Meanwhile
 * shows its output. Whether something answers at the cluster's ports means nothing: it may belong to another cluster.
 *
 * @param program - default: the same command without `--detach`
 * @throws {UserError} with the reason when it ends instead, or such a cluster is already running
 */
export async function detach(
  settings: ClusterSettings,
  argv: readonly string[],
  program: BackgroundProgram = upAgain(argv),
): Promise<number> {
  // Before its log is put aside.
  requireNotRunning(settings);
  rotateLog(settings, "supervisor");
  mkdirSync(join(settings.dataDir, "logs"), { recursive: true });
  const log = logFile(settings, "supervisor");
  const output = openSync(log, "a");
  const child = spawn(program.command, program.args, {
    cwd: REPOSITORY_ROOT,
    detached: true,
    stdio: ["ignore", output, output, "ipc"],
    env: childEnv(),
  });
  closeSync(output);
  const exited = new Promise<Exit>((resolve, reject) =>
    child.once("exit", (code, signal) => resolve({ code, signal })).once("error", reject),
  );
  exited.catch(() => undefined);
  let news: News | undefined;
  let silent = false;
  // What was sent arrives before the end of the channel, which may come after the end of the process.
  child.on("message", (message) => (news ??= message as News)).once("disconnect", () => (silent = true));
  child.once("error", () => (silent = true));
  let shown = 0;
  await poll(
    `the cluster to run, which goes on being started in the background (log: ${log})`,
    () => {
      const lines = readFileSync(log, "utf8").split("\n").slice(0, -1);
      // This command repeats its last word itself, below.
      const end = lines.findIndex((line) => line.startsWith("error: "));
      for (const line of lines.slice(shown, end < 0 ? undefined : end)) process.stderr.write(`${line}\n`);
      shown = lines.length;
      return news !== undefined || silent;
    },
    { timeoutMs: LIMIT_MS, intervalMs: 250 },
  );
  if (news === undefined || "refused" in news) {
    const exit = await exited;
    const words = lastLines(settings, "supervisor", 50);
    const last = words
      .slice(words.findLastIndex((line) => line.startsWith("error: ")))
      .join("\n")
      .replace(/^error: /, "");
    throw new UserError(
      news?.refused ?? `it ended while it was started (${describe(exit)})${last === "" ? "" : `: ${last}`}`,
    );
  }
  if (child.connected) child.disconnect();
  child.unref();
  console.log(
    `It goes on in the background (log: ${log}). Stop it with: npm run cluster -- down${settings.name === "demo" ? "" : ` --name ${settings.name}`}`,
  );
  return 0;
}

/** Tells the process that has started this one in the background, if any. */
export function tell(news: News): Promise<void> {
  return new Promise((resolve) => {
    // A process that no longer waits misses nothing.
    if (process.send === undefined || !process.connected) resolve();
    else process.send(news, undefined, undefined, () => resolve());
  });
}
