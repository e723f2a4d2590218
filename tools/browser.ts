import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

import { given } from "../process/environment.js";
import type { Progress } from "./cache.js";
import { installDebian, mayInstall } from "./requirements.js";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Where a Chromium browser is: `CHROMIUM`, else on `PATH`; `undefined` when there is none. */
export function browserProgram(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const { PATH: path = "", CHROMIUM: asked } = given(env);
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  return [
    ...(asked === undefined ? [] : [asked]),
    ...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))),
  ].find(isExecutable);
}

/**
 * Installs Debian's Chromium when there is no browser and that is possible. Tests that need one skip without it, so
 * this never fails.
 */
export async function ensureBrowser(autoInstall: boolean, progress: Progress): Promise<void> {
  if (browserProgram() !== undefined) return;
  if (!autoInstall || !mayInstall())
    return progress("no Chromium: the tests in a browser are skipped (get it: apt-get install chromium)");
  try {
    await installDebian("Chromium", ["chromium"], progress);
  } catch (error) {
    progress(
      `no Chromium, so the tests in a browser are skipped: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
