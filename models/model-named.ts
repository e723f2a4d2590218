import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

import { type Model, parseModel } from "../functions/transaction-scorer/model.js";
import { REPOSITORY_ROOT } from "../process/repository-root.js";
import { UserError } from "../terminal/user-error.js";

const FOLDER = join(REPOSITORY_ROOT, "models");

/** A model, and the file that it is in: from the repository's root, or absolute if it is elsewhere. */
export interface ModelFile {
  readonly path: string;
  readonly model: Model;
}

/**
 * The model of a file, or the one in `models/` that has this id.
 *
 * @throws {UserError} when there is none, or it cannot be read as a model
 */
export function modelNamed(fileOrId: string): ModelFile {
  const path = resolve(fileOrId);
  if (existsSync(path)) return read(path);
  const paths = readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json"))
    .sort();
  const all = paths.map((name) => read(join(FOLDER, name)));
  const found = all.find(({ model }) => model.id === fileOrId);
  if (found !== undefined) return found;
  throw new UserError(
    `there is no file ${JSON.stringify(fileOrId)}, and no model in models/ has this id: there are ${all.map(({ model }) => model.id).join(", ")}.`,
    { code: "not-found" },
  );
}

function read(path: string): ModelFile {
  try {
    const inside = relative(REPOSITORY_ROOT, path);
    return { path: inside.startsWith("..") ? path : inside, model: parseModel(readFileSync(path)) };
  } catch (cause) {
    throw new UserError(
      `${path} is not a model: ${(cause instanceof Error ? cause.message : String(cause)).replaceAll("\n", " ")}`,
      { cause },
    );
  }
}
