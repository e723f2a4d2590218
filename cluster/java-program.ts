import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";

import { cacheDir, REPOSITORY_ROOT } from "./settings.js";
import { kafkaClasspath } from "./tools/index.js";
import { UserError } from "./user-error.js";

const SOURCES = join(REPOSITORY_ROOT, "cluster/java");

/**
 * How a program of `cluster/java/` is run with Kafka's classes, in little memory and soon.
 *
 * @throws {UserError} when there is no Java compiler, the first time
 */
export function javaArgs(program: "ReadTopics" | "FindCommit", args: readonly string[]): string[] {
  return ["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", [compiled(), kafkaClasspath()].join(delimiter), program, ...args];
}

export const noJava = (cause: unknown): UserError => new UserError("cannot run java. Get it: apt-get install openjdk-17-jdk-headless", { cause });

let folder: string | undefined;

/** Where the programs' classes are: compiled once for a machine, for that takes longer than most of what they do. */
function compiled(): string {
  if (folder !== undefined) return folder;
  const files = readdirSync(SOURCES).sort().map((name) => join(SOURCES, name));
  const hash = createHash("sha256").update(kafkaClasspath());
  for (const file of files) hash.update(readFileSync(file));
  const made = join(cacheDir(), `java-${hash.digest("hex").slice(0, 12)}`);
  if (!existsSync(made)) {
    const temporary = `${made}.${process.pid}.tmp`;
    mkdirSync(temporary, { recursive: true });
    const { status, stderr, error } = spawnSync("javac", ["-cp", kafkaClasspath(), "-d", temporary, ...files], { encoding: "utf8" });
    if (error !== undefined) throw noJava(error);
    if (status !== 0) throw new UserError(`javac cannot compile cluster/java: ${stderr.trim().split("\n")[0] ?? ""}`);
    // Another process may have been faster: its classes are as good.
    if (!existsSync(made)) renameSync(temporary, made);
    rmSync(temporary, { recursive: true, force: true });
  }
  return (folder = made);
}
