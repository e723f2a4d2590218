import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

import type { FunctionSettings } from "./settings.js";
import { type Model, parseModel } from "./transaction-scorer/model.js";
import { requireSettings } from "./transaction-scorer/models.js";

/**
 * Reads model files.
 *
 * @param paths - files, and folders of which every `.json` is one, separated by commas
 * @param root - what relative paths begin at
 * @returns at least one: the first is the default
 * @throws Error that names the file, when one cannot be read, is no model, or cannot be used with these settings
 */
export function readModels(paths: string, root: string, settings: FunctionSettings): [Model, ...Model[]] {
  const models = paths
    .split(",")
    .map((path) => path.trim())
    .filter((path) => path !== "")
    .flatMap((path) => filesAt(path, root))
    .map((path) => {
      try {
        const model = parseModel(readFileSync(resolve(root, path)));
        requireSettings(model, settings);
        return model;
      } catch (cause) {
        throw new Error(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      }
    });
  const [first, ...others] = models;
  if (first === undefined) throw new Error(`FRAUD_MODEL names no model file: ${JSON.stringify(paths)}`);
  return [first, ...others];
}

function filesAt(path: string, root: string): string[] {
  if (statSync(resolve(root, path), { throwIfNoEntry: false })?.isDirectory() !== true) return [path];
  return readdirSync(resolve(root, path))
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => join(path, name));
}
