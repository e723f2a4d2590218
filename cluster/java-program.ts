import { join } from "node:path";

import { REPOSITORY_ROOT } from "./settings.js";
import { kafkaClasspath } from "./tools/index.js";
import { UserError } from "./user-error.js";

/** How a program of `cluster/java/` is run with Kafka's classes, in little memory and soon. */
export function javaArgs(program: "ReadTopics" | "FindCommit", args: readonly string[]): string[] {
  return ["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", kafkaClasspath(), join(REPOSITORY_ROOT, `cluster/java/${program}.java`), ...args];
}

export const noJava = (cause: unknown): UserError => new UserError("cannot run java. Get it: apt-get install openjdk-17-jdk-headless", { cause });
