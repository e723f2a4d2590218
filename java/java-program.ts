import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { delimiter, join, relative } from "node:path";

import { javaEnv } from "../process/environment.js";
import { REPOSITORY_ROOT } from "../process/repository-root.js";
import { UserError } from "../terminal/user-error.js";
import { cacheDir } from "../tools/cache-folder.js";
import { kafkaClasspath } from "../tools/index.js";

const SOURCES = join(REPOSITORY_ROOT, "java");

/**
 * How a program in `java/` is run with Kafka's classes: with little memory, and starting quickly.
 *
 * @throws {UserError} when there is no Java compiler, the first time
 */
export function javaArgs(program: "ReadTopics" | "FindCommit", args: readonly string[]): string[] {
  return [
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
    "-cp",
    [compiled(SOURCES, kafkaClasspath()), kafkaClasspath()].join(delimiter),
    program,
    ...args,
  ];
}

export const noJava = (cause: unknown): UserError =>
  new UserError("cannot run java. Get it: apt-get install openjdk-17-jdk-headless", { cause });

const folders = new Map<string, string>();

/**
 * Where the classes of a folder's Java sources are: compiled once per machine, as that takes longer than most of what
 * they do.
 *
 * @param sources - absolute path of the folder; other files in it are left alone
 * @param classpath - what they are compiled with
 * @throws {UserError} when there is no Java compiler, or it refuses them
 */
export function compiled(sources: string, classpath: string): string {
  const known = folders.get(sources);
  if (known !== undefined) return known;
  const files = readdirSync(sources)
    .filter((name) => name.endsWith(".java"))
    .sort()
    .map((name) => join(sources, name));
  const hash = createHash("sha256").update(classpath);
  for (const file of files) hash.update(readFileSync(file));
  const made = join(cacheDir(), `java-${hash.digest("hex").slice(0, 12)}`);
  if (!existsSync(made)) {
    const temporary = `${made}.${process.pid}.tmp`;
    mkdirSync(temporary, { recursive: true });
    const { status, stderr, error } = spawnSync("javac", ["-cp", classpath, "-d", temporary, ...files], {
      encoding: "utf8",
      env: javaEnv(),
    });
    if (error !== undefined) throw noJava(error);
    if (status !== 0)
      throw new UserError(
        `javac cannot compile ${relative(REPOSITORY_ROOT, sources)}: ${stderr.trim().split("\n")[0] ?? ""}`,
      );
    // Another process may have been faster: its classes are just as good.
    if (!existsSync(made)) renameSync(temporary, made);
    rmSync(temporary, { recursive: true, force: true });
  }
  folders.set(sources, made);
  return made;
}
