import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { clusterStatus } from "./control.js";
import { lastLines, logFile, rotateLog } from "./managed-process.js";
import { poll } from "./poll.js";
import { type ClusterSettings, REPOSITORY_ROOT } from "./settings.js";
import { UserError } from "./user-error.js";

/** Building the tools is included. */
const LIMIT_MS = 20 * 60_000;

/**
 * Runs `npm run cluster -- up` in the background and returns once the cluster runs. Meanwhile shows what it says.
 *
 * @throws {UserError} with its last line when it ends instead
 */
export async function detach(settings: ClusterSettings, argv: readonly string[]): Promise<number> {
  rotateLog(settings, "supervisor");
  mkdirSync(join(settings.dataDir, "logs"), { recursive: true });
  const log = logFile(settings, "supervisor");
  const output = openSync(log, "a");
  const child = spawn(process.execPath, ["cluster/run.mjs", "cluster", ...argv.filter((arg) => arg !== "--detach")], { cwd: REPOSITORY_ROOT, detached: true, stdio: ["ignore", output, output] });
  closeSync(output);
  let ended = false;
  child.on("exit", () => (ended = true));
  let shown = 0;
  await poll(
    "the cluster to run",
    async () => {
      const lines = readFileSync(log, "utf8").split("\n").slice(0, -1);
      // Its last word is this command's own, below.
      for (const line of lines.slice(shown)) if (!line.startsWith("error: ")) process.stderr.write(`${line}\n`);
      shown = lines.length;
      return ended || (await clusterStatus(settings)).running;
    },
    { timeoutMs: LIMIT_MS, intervalMs: 500 },
  );
  if (ended) {
    const words = lastLines(settings, "supervisor", 50);
    throw new UserError(words.slice(words.findLastIndex((line) => line.startsWith("error: "))).join("\n").replace(/^error: /, "") || "it ended without a word");
  }
  child.unref();
  console.log(`It goes on in the background (log: ${log}). Stop it with: npm run cluster -- down${settings.name === "demo" ? "" : ` --name ${settings.name}`}`);
  return 0;
}
