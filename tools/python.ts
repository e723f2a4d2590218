import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { build } from "./build.js";
import { cacheDir } from "./cache-folder.js";
import { cached, type Progress } from "./cache.js";

const PYTHON = "python3";

/** How a Python program is run with its packages. */
export interface PythonPackages {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Why Python packages are not available on this machine: there is no Python, or it has no pip. */
export interface NoPython {
  readonly missing: string;
}

/**
 * Installs the packages of a requirements file into their own folder in the cache, unless they are there.
 *
 * @param requirements - absolute path
 * @throws {UserError} when pip cannot fetch them
 */
export async function ensurePythonPackages(
  requirements: string,
  progress: Progress,
): Promise<PythonPackages | NoPython> {
  const folder = packagesFolder(requirements);
  if (folder === undefined)
    return { missing: "Python 3 with pip (get it: apt-get install python3-pip, or https://www.python.org)" };
  await cached(folder, (temporary) =>
    build({
      what: "Python packages by pip",
      command: PYTHON,
      args: [
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--target",
        temporary,
        "--requirement",
        requirements,
      ],
      failure: "pip could not fetch the packages. Is its index reachable?",
      progress,
    }),
  );
  return { command: PYTHON, env: { PYTHONPATH: folder } };
}

/**
 * Where a requirements file's packages are, or would be; `undefined` without Python or pip. They fit only one version
 * of Python.
 */
function packagesFolder(requirements: string): string | undefined {
  const { status, stdout } = spawnSync(PYTHON, ["-c", "import pip, sys; print('%d.%d' % sys.version_info[:2])"], {
    encoding: "utf8",
  });
  if (status !== 0) return undefined;
  const hash = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12);
  return join(cacheDir(), `python-${stdout.trim()}-${hash}`);
}
