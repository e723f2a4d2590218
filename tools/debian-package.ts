import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { UserError } from "../terminal/user-error.js";
import { build } from "./build.js";
import type { Progress } from "./cache.js";

/** Whose keys sign Debian's packages. */
const KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * Unpacks a package of a Debian release, not necessarily this machine's; nothing is installed.
 *
 * @param suite - the release, such as `trixie`
 * @param use - gets the folder with the package's files; it is removed afterwards
 * @throws {UserError} when the package is not available
 */
export async function unpackDebian(
  { suite, name, progress }: { suite: string; name: string; progress: Progress },
  use: (root: string) => void,
): Promise<void> {
  // Where this machine gets Debian's packages from.
  const { stdout } = spawnSync(
    "apt-get",
    ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian", "Component: main"],
    { encoding: "utf8" },
  );
  const archive = (stdout ?? "").split("\n").find((uri) => uri !== "" && !uri.includes("security"));
  if (archive === undefined) throw new UserError("apt-get knows no Debian archive. Run: apt-get update");
  const folder = mkdtempSync(join(tmpdir(), "fraud-debian-"));
  try {
    for (const part of ["lists", "cache"]) mkdirSync(join(folder, part));
    // apt's own user fetches.
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, "sources.list"), `deb [signed-by=${KEYS}] ${archive} ${suite} main\n`);
    // As if nothing were installed: the package is neither compared with this machine's nor found to miss others.
    writeFileSync(join(folder, "status"), "");
    const options = [
      `Dir::Etc::sourcelist=${folder}/sources.list`,
      "Dir::Etc::sourceparts=-",
      `Dir::State::lists=${folder}/lists`,
      `Dir::State::status=${folder}/status`,
      `Dir::Cache=${folder}/cache`,
      "APT::Sandbox::User=root",
    ].flatMap((option) => ["-o", option]);
    const failure = `Debian's package ${name} is not available. Are Debian's packages reachable?`;
    await build({
      what: `package list of Debian ${suite}`,
      command: "apt-get",
      args: [...options, "update"],
      failure,
      progress,
    });
    // It downloads to where it runs.
    await build({
      what: `package ${name}`,
      command: "env",
      args: ["-C", folder, "apt-get", ...options, "download", name],
      failure,
      progress,
    });
    const deb = readdirSync(folder).find((file) => file.startsWith(`${name}_`) && file.endsWith(".deb"));
    if (deb === undefined) throw new UserError(failure);
    await build({
      what: `unpacking ${name}`,
      command: "dpkg-deb",
      args: ["-x", join(folder, deb), join(folder, "root")],
      failure,
      progress,
    });
    use(join(folder, "root"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
