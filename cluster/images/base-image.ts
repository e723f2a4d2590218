import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { build } from "../../tools/build.js";
import { cacheDir } from "../../tools/cache-folder.js";
import { cached, type Progress } from "../../tools/cache.js";
import { hasProgram } from "../../tools/has-program.js";
import { installDebian } from "../../tools/requirements.js";
import { docker, dockerOk } from "../compose/docker.js";

/** Debian 11: it has Java 11, as the official StateFun image has; with its compiler, for the batching transport. */
const SUITE = "bullseye";
const PACKAGES = ["ca-certificates", "curl", "haproxy", "openjdk-11-jdk-headless", "procps"];
const KEY = createHash("sha256")
  .update(JSON.stringify([SUITE, PACKAGES]))
  .digest("hex")
  .slice(0, 12);
/** Files that no running program needs. */
const LEFT_OUT = [
  "./proc/*",
  "./sys/*",
  "./dev/*",
  "./tmp/*",
  "./var/cache/*",
  "./var/lib/apt/lists/*",
  "./usr/share/doc/*",
  "./usr/share/man/*",
  "./usr/share/locale/*",
];

/** The image that every stand-in is made from: one layer, which they share. */
export const BASE_IMAGE = `stateful-fraud-detection-base:${SUITE}-${KEY}`;

/**
 * Makes the base image unless the engine has it: with debootstrap from Debian's packages the first time, then from the
 * tools' cache.
 */
export async function ensureBaseImage(progress: Progress): Promise<void> {
  if ((await docker(["image", "inspect", BASE_IMAGE])).code === 0) return;
  const folder = join(cacheDir(), `base-${SUITE}-${KEY}`);
  await cached(folder, async (temporary) => {
    if (!hasProgram("debootstrap", "--version")) await installDebian("debootstrap", ["debootstrap"], progress);
    const root = mkdtempSync(join(tmpdir(), "fraud-base-"));
    try {
      await build({
        what: `Debian ${SUITE} with Java 11 by debootstrap (about a minute)`,
        command: "debootstrap",
        args: ["--variant=minbase", `--include=${PACKAGES.join(",")}`, SUITE, root],
        failure: "debootstrap failed. Are Debian's packages reachable?",
        progress,
      });
      await build({
        what: "packing the base",
        command: "tar",
        args: [
          "--use-compress-program=gzip -1",
          "--numeric-owner",
          ...LEFT_OUT.map((path) => `--exclude=${path}`),
          "-cf",
          join(temporary, "base.tar.gz"),
          "-C",
          root,
          ".",
        ],
        failure: "the base could not be packed.",
        progress,
      });
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
  progress("importing the base");
  await dockerOk(["import", join(folder, "base.tar.gz"), BASE_IMAGE]);
}
