import { readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * All files in a folder and its subfolders, by their paths within it, in the same order everywhere: what is made from
 * them is named by their hash.
 */
export const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
