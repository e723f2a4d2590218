import { homedir, tmpdir } from "node:os";
import { isAbsolute, join, normalize, resolve } from "node:path";

import { given } from "../process/environment.js";
import { REPOSITORY_ROOT } from "../process/repository-root.js";
import { UserError } from "../terminal/user-error.js";
import { requireUsable } from "./file-names.js";

/**
 * Where downloads and builds are kept between clones: `FRAUD_CACHE_DIR`, else the user's cache folder.
 *
 * @throws {UserError} when that is relative, or its name cannot be given to Java
 */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  const { FRAUD_CACHE_DIR: asked, XDG_CACHE_HOME: cache, HOME: home } = given(env);
  // Programs that run in different folders share it.
  if (asked !== undefined && !isAbsolute(asked))
    throw new UserError(
      `FRAUD_CACHE_DIR is ${JSON.stringify(asked)}: give it an absolute path, such as ${asked.startsWith("~/") ? join(homedir(), asked.slice(2)) : resolve(REPOSITORY_ROOT, asked)}.`,
    );
  // The specification of this variable says that a relative one is to be ignored.
  const base =
    cache !== undefined && isAbsolute(cache)
      ? cache
      : home !== undefined && isAbsolute(home)
        ? join(home, ".cache")
        : tmpdir();
  const folder = asked === undefined ? join(base, "stateful-fraud-detection") : normalize(asked);
  requireUsable(folder, "downloads and builds", "Name another one: FRAUD_CACHE_DIR=/path/to/folder");
  return folder;
}
