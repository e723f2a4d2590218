import { join } from "node:path";

import { build } from "./build.js";
import { cacheDir } from "./cache-folder.js";
import { cached, type Progress } from "./cache.js";
import { NODE_VERSIONS, type NodeMajor } from "./versions.js";

/**
 * Fetches another version of Node, as an npm package, unless it is there.
 *
 * @returns the folder with its `node`, to be put first on a PATH
 * @throws {UserError} when npm cannot fetch it, for example because there is none for this machine
 */
export async function ensureNode(major: NodeMajor, progress: Progress): Promise<string> {
  const version = NODE_VERSIONS[major];
  const name = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  const folder = join(cacheDir(), `${name}-${version}`);
  await cached(folder, (temporary) =>
    build({
      what: `Node ${version} by npm`,
      command: "npm",
      args: [
        "install",
        "--prefix",
        temporary,
        "--ignore-scripts",
        "--no-save",
        "--no-package-lock",
        "--no-audit",
        "--no-fund",
        `${name}@${version}`,
      ],
      failure: `npm could not fetch ${name} ${version}. Is its registry reachable, and is there one for this machine?`,
      progress,
    }),
  );
  return join(folder, "node_modules", name, "bin");
}
