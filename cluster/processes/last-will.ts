import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";

import { childEnv } from "../../process/environment.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import type { ClusterSettings } from "../settings.js";
import { logFile } from "./managed-process.js";

/** Reads until the other end is gone, then becomes what it was told: a shell takes little while it waits. */
const WHEN_ALONE = 'cat > /dev/null; exec "$@"';

/**
 * Makes sure that a cluster's parts do not outlive this process, however that ends: killed, too, they are stopped in
 * order by a process that waits for it. Without anybody who watches over them they would go on until the next start.
 *
 * @returns takes it back
 */
export function makeLastWill(settings: ClusterSettings): () => void {
  mkdirSync(join(settings.dataDir, "logs"), { recursive: true });
  const output = openSync(logFile(settings, "supervisor"), "a");
  const heir = spawn(
    "sh",
    [
      "-c",
      WHEN_ALONE,
      "last-will",
      process.execPath,
      "--import",
      "tsx",
      join(REPOSITORY_ROOT, "cluster/processes/last-will-main.ts"),
      settings.dataDir,
    ],
    // Away from this process' terminal, which may be closed.
    { detached: true, stdio: ["pipe", output, output], cwd: REPOSITORY_ROOT, env: childEnv() },
  );
  closeSync(output);
  const stdin = heir.stdin as Socket;
  // Whatever becomes of it, the cluster runs; and the program may end.
  for (const one of [heir, stdin]) one.on("error", () => undefined).unref();
  return () => {
    heir.kill("SIGKILL");
    stdin.destroy();
  };
}
