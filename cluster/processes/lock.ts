import { chmodSync, linkSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { identify } from "../../process/process-identity.js";
import { UserError } from "../../terminal/user-error.js";
import type { ClusterSettings } from "../settings.js";
import { recorded } from "./managed-process.js";

/** @throws {UserError} when a process is using a cluster's data folder */
export function requireNotRunning(settings: ClusterSettings): void {
  const owner = recorded(settings, "supervisor");
  if (owner !== undefined)
    throw new UserError(
      `the cluster "${settings.name}" is already running (process ${owner.pid}). Stop it with Ctrl-C there, or with: npm run cluster -- down --name ${settings.name}`,
    );
}

/**
 * Makes this process the only one to use a cluster's data folder, until it ends or calls the result.
 *
 * @throws {UserError} when another process is
 */
export function lockCluster(settings: ClusterSettings): () => void {
  const folder = join(settings.dataDir, "pids");
  const lock = join(folder, "supervisor.json");
  mkdirSync(folder, { recursive: true });
  // It holds transactions, checkpoints and keys.
  chmodSync(settings.dataDir, 0o700);
  const mine = join(folder, `supervisor.${process.pid}`);
  writeFileSync(mine, JSON.stringify(identify(process.pid)));
  try {
    for (let attempt = 0; attempt < 3; attempt++) {
      requireNotRunning(settings);
      // Left by one that was killed.
      rmSync(lock, { force: true });
      try {
        // Unlike a write, this fails when another process was faster.
        linkSync(mine, lock);
        return () => rmSync(lock, { force: true });
      } catch {
        continue;
      }
    }
    throw new UserError(`the cluster "${settings.name}" is being started by another process.`);
  } finally {
    rmSync(mine, { force: true });
  }
}
