import { readFileSync } from "node:fs";
import { join } from "node:path";

import { REPOSITORY_ROOT, type StateBackend } from "../settings.js";
import { backendIn } from "../state-at-start.js";
import { UserError } from "../user-error.js";

/** What containers keep state in: Flink's settings are mounted as they stand. @throws {UserError} when these name none */
export function composeBackend(): StateBackend {
  const backend = backendIn(readFileSync(join(REPOSITORY_ROOT, "cluster/flink-conf.yaml"), "utf8"));
  if (backend === undefined) throw new UserError("cluster/flink-conf.yaml must say state.backend: hashmap or rocksdb.");
  return backend;
}
