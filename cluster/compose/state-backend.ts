import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { StateBackend } from "../../flink/flink.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { UserError } from "../../terminal/user-error.js";
import { backendIn } from "../state/state-at-start.js";

/**
 * The state backend of the containers: Flink's settings are mounted unchanged.
 *
 * @throws {UserError} when these name none
 */
export function composeBackend(): StateBackend {
  const backend = backendIn(readFileSync(join(REPOSITORY_ROOT, "cluster/flink-conf.yaml"), "utf8"));
  if (backend === undefined) throw new UserError("cluster/flink-conf.yaml must say state.backend: hashmap or rocksdb.");
  return backend;
}
