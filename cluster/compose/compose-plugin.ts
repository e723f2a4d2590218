import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

import { build } from "../tools/build.js";
import type { Progress } from "../tools/cache.js";
import { UserError } from "../user-error.js";

/** Where this machine gets Debian's packages from, and whose keys sign them. */
const KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * Puts `docker compose` into the user's plugins. Debian 12 has none, Debian 13's is one program that runs there too; it is taken
 * out of its package, and nothing is installed.
 *
 * @throws {UserError} when the package cannot be had
 */
export async function ensureComposePlugin(progress: Progress): Promise<void> {
  const { stdout } = spawnSync("apt-get", ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian", "Component: main"], { encoding: "utf8" });
  const archive = stdout.split("\n").find((uri) => uri !== "" && !uri.includes("security"));
  if (archive === undefined) throw new UserError("apt-get knows no archive of Debian. Run: apt-get update");
  const folder = mkdtempSync(join(tmpdir(), "fraud-compose-"));
  try {
    for (const name of ["lists", "cache", "deb"]) mkdirSync(join(folder, name));
    // apt's own user fetches.
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, "sources.list"), `deb [signed-by=${KEYS}] ${archive} trixie main\n`);
    const options = [`Dir::Etc::sourcelist=${folder}/sources.list`, "Dir::Etc::sourceparts=-", `Dir::State::lists=${folder}/lists`, `Dir::Cache=${folder}/cache`, "APT::Sandbox::User=root"].flatMap((option) => ["-o", option]);
    const failure = "Debian's docker-compose package could not be had. Are Debian's packages reachable?";
    await build({ what: "Debian 13's package list", command: "apt-get", args: [...options, "update"], failure, progress });
    await build({ what: "docker compose", command: "apt-get", args: [...options, "install", "--download-only", "--reinstall", "-y", "--no-install-recommends", `-oDir::Cache::archives=${folder}/deb`, "docker-compose"], failure, progress });
    const deb = readdirSync(join(folder, "deb")).find((name) => name.startsWith("docker-compose_"));
    if (deb === undefined) throw new UserError(failure);
    await build({ what: "unpacking docker compose", command: "dpkg-deb", args: ["-x", join(folder, "deb", deb), join(folder, "root")], failure, progress });
    const plugins = join(process.env["DOCKER_CONFIG"] ?? join(homedir(), ".docker"), "cli-plugins");
    mkdirSync(plugins, { recursive: true });
    copyFileSync(join(folder, "root/usr/libexec/docker/cli-plugins/docker-compose"), join(plugins, "docker-compose"));
    chmodSync(join(plugins, "docker-compose"), 0o755);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
