import { join } from "node:path";

import { cacheDir } from "../settings.js";
import { VERSIONS } from "../versions.js";
import { build } from "./build.js";
import { cached, type Progress } from "./cache.js";

const folder = (): string => join(cacheDir(), `k6-${VERSIONS.k6}-static`);

/** The k6 program. */
export const k6Program = (): string => join(folder(), "k6");

/** Builds k6 by `go install` unless it is there: minutes on a small machine. @throws {UserError} when Go fails */
export async function ensureK6(progress: Progress): Promise<void> {
  await cached(folder(), async (temporary) => {
    await build({
      what: "k6 by go install (about 2 minutes on 2 cores)",
      command: "go",
      args: ["install", "-v", `go.k6.io/k6@${VERSIONS.k6}`],
      // Without C it runs in a container with another libc too.
      env: { GOBIN: temporary, GOFLAGS: "-trimpath", CGO_ENABLED: "0" },
      failure: "Go could not build k6. Is Go's module proxy reachable?",
      progress,
    });
  });
}
