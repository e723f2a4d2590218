import { readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * All files of a folder and of those in it, by their paths within it, in one order everywhere: what is made of them is
 * named by their hash.
 */
export const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
