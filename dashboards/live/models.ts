import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { FEATURE_NAMES } from "../../functions/transaction-scorer/feature-vector.js";
import { type Model, parseModel, reasonCode } from "../../functions/transaction-scorer/model.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { featureLabel } from "./words.js";

/** The models that decisions name, by the hash of their files. */
export class Models {
  readonly #byHash: ReadonlyMap<string, Model>;

  constructor(models: readonly Model[]) {
    this.#byHash = new Map(models.map((model) => [Buffer.from(model.hash).toString("hex"), model]));
  }

  /** @param hash - hexadecimal SHA-256 of the file */
  find(hash: string): Model | undefined {
    return this.#byHash.get(hash);
  }

  /** Words for each reason code: of rules, and of features, which are the reasons of models of trees. */
  get reasons(): Record<string, string> {
    const rules = [...this.#byHash.values()].flatMap(({ definition }) =>
      definition.kind === "points" ? definition.rules : [],
    );
    return Object.fromEntries([
      ...FEATURE_NAMES.map((name) => [reasonCode(name), featureLabel(name)]),
      ...rules.map(({ code, description }) => [code, description]),
    ]) as Record<string, string>;
  }
}

/**
 * Reads every model file of the repository, those in subfolders too. A file of a kind that is not known yet is left
 * out: its decisions show what their evidence says only.
 */
export function repositoryModels(folder = join(REPOSITORY_ROOT, "models")): Models {
  const models = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => {
      try {
        return [parseModel(readFileSync(join(folder, name)))];
      } catch {
        return [];
      }
    });
  return new Models(models);
}
