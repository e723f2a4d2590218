import { copyFileSync } from "node:fs";
import { join } from "node:path";

import { cacheDir } from "./cache-folder.js";
import { cached, type Progress } from "./cache.js";
import { unpackDebian } from "./debian-package.js";

/** The release that all stand-ins are made from: a program from another may need a different C library. */
const SUITE = "bullseye";
const PROGRAMS = ["prometheus", "promtool"] as const;

/** Holds `prometheus` and `promtool` for a container; {@link ensurePrometheusForImage} fills it. */
export const prometheusForImage = (): string => join(cacheDir(), `prometheus-${SUITE}`);

/** Takes both out of Debian's package, once. @throws {UserError} when it is not available */
export async function ensurePrometheusForImage(onProgress: Progress): Promise<void> {
  await cached(prometheusForImage(), (temporary) =>
    unpackDebian({ suite: SUITE, name: "prometheus", progress: onProgress }, (root) => {
      for (const program of PROGRAMS) copyFileSync(join(root, "usr/bin", program), join(temporary, program));
    }),
  );
}
