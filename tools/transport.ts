import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { REPOSITORY_ROOT } from "../process/repository-root.js";
import { build } from "./build.js";
import { cacheDir } from "./cache-folder.js";
import { cached, type Progress } from "./cache.js";
import { filesBelow } from "./files-below.js";
import { classpath, jarFolder } from "./jars.js";

const MODULE = join(REPOSITORY_ROOT, "statefun/transport/src/main");
const SOURCES = join(MODULE, "java");
const RESOURCES = join(MODULE, "resources");
/** The Java of the official StateFun image. */
const JAVA_RELEASE = "11";

/**
 * The batching transport's jar, for Flink's class path, whether or not it exists: its folder's name changes with its
 * sources.
 */
export const transportJar = (): string => join(transportFolder(), "statefun-batching.jar");

/**
 * Compiles the batching transport against the jars that it will run with, unless that has been done.
 *
 * @throws {UserError} when javac fails
 */
export async function ensureTransport(progress: Progress): Promise<void> {
  await cached(transportFolder(), async (folder) => {
    const classes = `${folder}/classes`;
    mkdirSync(classes);
    const failure = "the batching transport could not be compiled.";
    const sources = filesBelow(SOURCES)
      .filter((file) => file.endsWith(".java"))
      .map((file) => join(SOURCES, file));
    await build({
      what: "batching transport by javac",
      command: "javac",
      args: ["--release", JAVA_RELEASE, "-proc:none", "-nowarn", "-cp", classpath("flink"), "-d", classes, ...sources],
      failure,
      progress,
    });
    await build({
      what: "batching transport's jar",
      command: "jar",
      args: ["--create", "--file", join(folder, "statefun-batching.jar"), "-C", classes, ".", "-C", RESOURCES, "."],
      failure,
      progress,
    });
  });
}

let known: string | undefined;

function transportFolder(): string {
  if (known !== undefined) return known;
  const hash = createHash("sha256").update(jarFolder("flink")).update(JAVA_RELEASE);
  for (const file of filesBelow(MODULE)) hash.update(file).update(readFileSync(join(MODULE, file)));
  return (known = join(cacheDir(), `transport-${hash.digest("hex").slice(0, 12)}`));
}
