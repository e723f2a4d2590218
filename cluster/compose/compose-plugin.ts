import { chmodSync, copyFileSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import { given } from "../../process/environment.js";
import type { Progress } from "../../tools/cache.js";
import { unpackDebian } from "../../tools/debian-package.js";

/**
 * Puts `docker compose` into the user's plugins. Debian 12 has none; Debian 13's is a single program that runs there
 * too. It is taken out of its package, and nothing is installed.
 *
 * @throws {UserError} when the package is not available
 */
export async function ensureComposePlugin(progress: Progress): Promise<void> {
  await unpackDebian({ suite: "trixie", name: "docker-compose", progress }, (root) => {
    const plugins = join(given()["DOCKER_CONFIG"] ?? join(homedir(), ".docker"), "cli-plugins");
    mkdirSync(plugins, { recursive: true });
    copyFileSync(join(root, "usr/libexec/docker/cli-plugins/docker-compose"), join(plugins, "docker-compose"));
    chmodSync(join(plugins, "docker-compose"), 0o755);
  });
}
