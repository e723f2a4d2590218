import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { type ClusterOptions, FRAUD_DETECTION } from "../../cluster/settings.js";
import { type Transport, withTransport } from "../../cluster/transports.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { flakyFile, rollingEnvFile } from "./faults.js";

/**
 * What a cluster needs so that faults can be injected into its function server.
 *
 * @param folder - for the files that steer it
 */
export function faultyCluster(folder: string, transport: Transport = "batching"): ClusterOptions {
  writeFileSync(flakyFile(folder), "");
  writeFileSync(rollingEnvFile(folder), "{}");
  const { functions } = FRAUD_DETECTION.servers;
  const options = {
    application: {
      ...FRAUD_DETECTION,
      servers: {
        ...FRAUD_DETECTION.servers,
        functions: {
          ...functions,
          args: [
            "--import",
            "tsx",
            "--import",
            pathToFileURL(join(REPOSITORY_ROOT, "loadtest/failover/flaky-server.ts")).href,
            ...functions.args.slice(2),
          ],
          env: { FLAKY: flakyFile(folder), ROLLING_ENV: rollingEnvFile(folder) },
        },
      },
    },
  };
  return withTransport(transport, options, folder);
}
