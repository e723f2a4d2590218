import { join } from "node:path";

import { build } from "./build.js";
import { cacheDir } from "./cache-folder.js";
import { cached, type Progress } from "./cache.js";
import { VERSIONS } from "./versions.js";

const folder = (): string => join(cacheDir(), `minio-${VERSIONS.minio}-static`);

/** The MinIO server's program. */
export const minioProgram = (): string => join(folder(), "minio");

/**
 * Builds MinIO with `go install` unless it is there: this takes minutes on a small machine.
 *
 * @throws {UserError} when Go fails
 */
export async function ensureMinio(progress: Progress): Promise<void> {
  await cached(folder(), async (temporary) => {
    await build({
      what: "MinIO by go install (2 to 3 minutes on 2 cores)",
      command: "go",
      args: ["install", "-v", `github.com/minio/minio@${VERSIONS.minio}`],
      // Without C it also runs in a container with a different libc.
      env: { GOBIN: temporary, GOFLAGS: "-trimpath", CGO_ENABLED: "0" },
      failure: "Go could not build MinIO. Is Go's module proxy reachable?",
      progress,
    });
  });
}
