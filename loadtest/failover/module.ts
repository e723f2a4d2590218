import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { parseAllDocuments, stringify } from "yaml";

import { type Application, FRAUD_DETECTION } from "../../cluster/settings.js";

/** Changes of `module.yaml`: a component's kind up to its slash, then paths in its spec and their new values. */
export type ModuleChanges = Readonly<Record<string, Readonly<Record<string, string | number>>>>;

/**
 * The application with a changed `module.yaml`.
 *
 * @param folder - where the changed module goes
 * @param changes - such as `{ "io.statefun.kafka.v1/egress": { "deliverySemantic.type": "at-least-once" } }`
 * @throws Error when a path is not there: the change would change nothing
 */
export function withModule(application: Application, folder: string, changes: ModuleChanges): Application {
  const documents = parseAllDocuments(readFileSync(FRAUD_DETECTION.moduleFile, "utf8"));
  if (!Array.isArray(documents)) throw new Error("module.yaml is empty");
  for (const [kind, values] of Object.entries(changes)) {
    const components = documents.filter((document) => document.get("kind") === kind);
    for (const [path, value] of Object.entries(values)) {
      const keys = ["spec", ...path.split(".")];
      if (components.length === 0 || components.some((component) => !component.hasIn(keys))) throw new Error(`module.yaml has no ${path} in a component of kind ${kind}`);
      for (const component of components) component.setIn(keys, value);
    }
  }
  const moduleFile = join(folder, "module.yaml");
  writeFileSync(moduleFile, documents.map((document) => stringify(document.toJS())).join("---\n"));
  return { ...application, moduleFile };
}
