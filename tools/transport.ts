import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { REPOSITORY_ROOT } from "../process/repository-root.js";
import { build } from "./build.js";
import { cacheDir } from "./cache-folder.js";
import { cached, type Progress } from "./cache.js";
import { filesBelow } from "./files-below.js";
import { classpath, jarFolder } from "./jars.js";

const MODULE = join(REPOSITORY_ROOT, "statefun/transport");
const POM = join(MODULE, "pom.xml");
const MAIN = join(MODULE, "src/main");
const SOURCES = join(MAIN, "java");
const RESOURCES = join(MAIN, "resources");

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
      args: [...javacOptions(readFileSync(POM, "utf8")), "-cp", classpath("flink"), "-d", classes, ...sources],
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

/** The options that Maven's pom.xml gives to javac, so that every build of the jar refuses the same. */
export const javacOptions = (pom: string): readonly string[] => [
  ...[...pom.matchAll(/<maven\.compiler\.release>(.*)<\/maven\.compiler\.release>/g)].flatMap(([, release]) => [
    "--release",
    release!,
  ]),
  ...[...pom.matchAll(/<arg>(.*)<\/arg>/g)].map(([, option]) => option!),
];

let known: string | undefined;

function transportFolder(): string {
  if (known !== undefined) return known;
  const hash = createHash("sha256").update(jarFolder("flink")).update(readFileSync(POM));
  for (const file of filesBelow(MAIN)) hash.update(file).update(readFileSync(join(MAIN, file)));
  return (known = join(cacheDir(), `transport-${hash.digest("hex").slice(0, 12)}`));
}
