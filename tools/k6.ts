import { spawn } from "node:child_process";
import { join } from "node:path";

import { childEnv, K6_VARIABLES } from "../process/environment.js";
import { REPOSITORY_ROOT } from "../process/repository-root.js";
import { build } from "./build.js";
import { cacheDir } from "./cache-folder.js";
import { cached, type Progress } from "./cache.js";
import { VERSIONS } from "./versions.js";

const folder = (): string => join(cacheDir(), `k6-${VERSIONS.k6}-static`);

/** The k6 program. */
export const k6Program = (): string => join(folder(), "k6");

/**
 * Builds k6 with `go install` unless it is there: this takes minutes on a small machine.
 *
 * @throws {UserError} when Go fails
 */
export async function ensureK6(progress: Progress): Promise<void> {
  await cached(folder(), async (temporary) => {
    await build({
      what: "k6 by go install (about 2 minutes on 2 cores)",
      command: "go",
      args: ["install", "-v", `go.k6.io/k6@${VERSIONS.k6}`],
      // Without C it also runs in a container with a different libc.
      env: { GOBIN: temporary, GOFLAGS: "-trimpath", CGO_ENABLED: "0" },
      failure: "Go could not build k6. Is Go's module proxy reachable?",
      progress,
    });
  });
}

/**
 * Runs k6; `ensureTools` must have built it. Without its own interface, which would listen at a port of this machine,
 * and stop a load for any page whose name was pointed there.
 */
export function startK6(
  args: readonly string[],
  onOutput: (text: string) => void,
): { readonly finished: Promise<number>; readonly kill: (signal: NodeJS.Signals) => void } {
  const child = spawn(k6Program(), [...args, "--address", ""], {
    cwd: REPOSITORY_ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: childEnv({ K6_NO_USAGE_REPORT: "true" }, K6_VARIABLES),
  });
  child.stdout.on("data", (chunk: Buffer) => onOutput(chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => onOutput(chunk.toString()));
  const finished = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
  return { finished, kill: (signal) => void child.kill(signal) };
}
