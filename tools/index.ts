import { ensureBrowser } from "./browser.js";
import type { Progress } from "./cache.js";
import { classpath, ensureJars } from "./jars.js";
import { ensureK6 } from "./k6.js";
import { ensureMinio } from "./minio.js";
import { ensurePrometheusForImage } from "./prometheus-image.js";
import { ensureRequirements } from "./requirements.js";
import { ensureTransport } from "./transport.js";
import { IMAGE_JAR_SETS } from "./versions.js";

export { classpath, jarFolder } from "./jars.js";
export type { JarSet } from "./versions.js";
export { k6Program, startK6 } from "./k6.js";
export { browserProgram } from "./browser.js";
export { minioProgram } from "./minio.js";
export { ensureNode } from "./node.js";
export { OwnClock, ensureFakeTime, fakeTimeLibrary } from "./fake-time.js";
export { ensurePrometheus, hasPrometheus } from "./prometheus.js";
export { prometheusForImage } from "./prometheus-image.js";
export type { Progress } from "./cache.js";
export { transportJar } from "./transport.js";
export { ensurePythonPackages, type NoPython, type PythonPackages } from "./python.js";

/** Class path of Kafka's own programs and clients. */
export const kafkaClasspath = (): string => classpath("kafka");

/**
 * Everything that is not an npm package: checks Java, Maven and Go, fetches the jars, compiles the batching transport,
 * builds MinIO and, if wanted, k6. What is already there costs nothing. A browser, if wanted, is installed where that
 * is possible; code that needs it checks whether it is there.
 *
 * @throws {UserError} in one line: what is missing and how to get it, or which download failed
 */
export async function ensureTools({
  autoInstall = false,
  k6 = false,
  browser = false,
  onProgress,
}: {
  autoInstall?: boolean;
  k6?: boolean;
  browser?: boolean;
  onProgress: Progress;
}): Promise<void> {
  await ensureRequirements({ native: true, k6 }, autoInstall, onProgress);
  if (browser) await ensureBrowser(autoInstall, onProgress);
  // Each at its own pace: Maven waits for the network while Go has the processors.
  await Promise.all([
    (async () => {
      await ensureMinio(onProgress);
      if (k6) await ensureK6(onProgress);
    })(),
    (async () => {
      await ensureJars("kafka", onProgress);
      await ensureJars("flink", onProgress);
      await ensureTransport(onProgress);
      await ensureJars("flink-s3", onProgress);
    })(),
  ]);
}

/**
 * The tools that read topics of a system in containers, and k6 if wanted.
 *
 * @throws {UserError} as {@link ensureTools}
 */
export async function ensureReader({ k6 = false, onProgress }: { k6?: boolean; onProgress: Progress }): Promise<void> {
  await ensureRequirements({ native: false, k6 }, false, onProgress);
  await ensureJars("kafka", onProgress);
  if (k6) await ensureK6(onProgress);
}

/**
 * What stand-ins for container images are made from, in addition to the base: see `cluster/images/`.
 *
 * @throws {UserError} as {@link ensureTools}
 */
export async function ensureImageTools(onProgress: Progress): Promise<void> {
  await ensureTools({ autoInstall: true, k6: true, onProgress });
  for (const set of IMAGE_JAR_SETS) await ensureJars(set, onProgress);
  await ensurePrometheusForImage(onProgress);
}
