import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { parseAllDocuments, stringify } from "yaml";

import type { Application } from "./settings.js";

/** A value in a component's spec: a single one, or a whole section. */
type SpecValue = string | number | { readonly [name: string]: SpecValue };

/** Changes of `module.yaml`: a component's kind up to its slash, then paths in its spec and their new values. */
export type ModuleChanges = Readonly<Record<string, Readonly<Record<string, SpecValue>>>>;

/**
 * The application with a changed `module.yaml`, on top of earlier changes.
 *
 * @param folder - where the changed module goes
 * @param changes - such as `{ "io.statefun.kafka.v1/egress": { "deliverySemantic.type": "at-least-once" } }`
 * @throws Error when a path does not exist: the change would have no effect
 */
export function withModule(application: Application, folder: string, changes: ModuleChanges): Application {
  const documents = parseAllDocuments(readFileSync(application.moduleFile, "utf8"));
  if (!Array.isArray(documents)) throw new Error("module.yaml is empty");
  for (const [kind, values] of Object.entries(changes)) {
    const components = documents.filter((document) => document.get("kind") === kind);
    for (const [path, value] of Object.entries(values)) {
      const keys = ["spec", ...path.split(".")];
      if (components.length === 0 || components.some((component) => !component.hasIn(keys)))
        throw new Error(`module.yaml has no ${path} in a component of kind ${kind}`);
      for (const component of components) component.setIn(keys, component.createNode(value));
    }
  }
  const moduleFile = join(folder, "module.yaml");
  writeFileSync(moduleFile, documents.map((document) => stringify(document.toJS())).join("---\n"));
  return { ...application, moduleFile };
}
