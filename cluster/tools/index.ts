import { spawnSync } from "node:child_process";

import { classpath, ensureJars } from "./jars.js";
import { ensureK6 } from "./k6.js";
import { ensureMinio } from "./minio.js";
import { ensureRequirements, installDebian, mayInstall } from "./requirements.js";
import type { Progress } from "./cache.js";

export { classpath, jarFolder } from "./jars.js";
export type { JarSet } from "../versions.js";
export { k6Program } from "./k6.js";
export { minioProgram } from "./minio.js";
export type { Progress } from "./cache.js";
export { ensurePythonPackages, type NoPython, type PythonPackages } from "./python.js";

/** Class path of Kafka's own programs and clients. */
export const kafkaClasspath = (): string => classpath("kafka");

/**
 * Everything that is not an npm package: checks Java, Maven and Go, fetches the jars, builds MinIO and, if wanted, k6. What is
 * there already costs nothing.
 *
 * @throws {UserError} in one line: what is missing and how to get it, or which download failed
 */
export async function ensureTools({ autoInstall = false, k6 = false, onProgress }: { autoInstall?: boolean; k6?: boolean; onProgress: Progress }): Promise<void> {
  await ensureRequirements(autoInstall, onProgress);
  // Each at its own pace: Maven waits for the network while Go has the processors.
  await Promise.all([
    (async () => {
      await ensureMinio(onProgress);
      if (k6) await ensureK6(onProgress);
    })(),
    (async () => {
      await ensureJars("kafka", onProgress);
      await ensureJars("flink", onProgress);
      await ensureJars("flink-s3", onProgress);
    })(),
  ]);
}

/** Whether `prometheus` and `promtool` are on this machine. Only tests and `npm run cluster -- metrics` use them. */
export const hasPrometheus = (): boolean => ["prometheus", "promtool"].every((command) => spawnSync(command, ["--version"]).status === 0);

/** Installs Prometheus as root on Debian, unless it is there. Elsewhere what needs it does without. @throws {UserError} when Debian's packages are not reachable */
export async function ensurePrometheus(onProgress: Progress): Promise<void> {
  if (!hasPrometheus() && mayInstall()) await installDebian("Prometheus", ["prometheus"], onProgress);
}
