import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { REPOSITORY_ROOT } from "../process/repository-root.js";
import type { KnownInputs } from "./verify.js";

/**
 * The settings that the functions have had: the defaults, and those that a run adds. Models: every file in `models/`
 * and its folders, and those that are given.
 *
 * @param modelFiles - paths
 */
export function knownInputs(settings: readonly unknown[] = [], modelFiles: readonly string[] = []): KnownInputs {
  const folder = join(REPOSITORY_ROOT, "models");
  const models = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"));
  const paths = [...models.map((name) => join(folder, name)), ...modelFiles];
  return { settings: [{}, ...settings], models: paths.map((path) => readFileSync(path)) };
}
