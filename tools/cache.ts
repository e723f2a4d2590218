import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";

/** Receives one line about what is going on. */
export type Progress = (line: string) => void;

/**
 * Makes a folder once: `make` fills a temporary one beside it, which is renamed when it is complete. So an interrupted
 * or concurrent build never leaves half a folder.
 */
export async function cached(folder: string, make: (temporary: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return;
  const temporary = `${folder}.${process.pid}.tmp`;
  mkdirSync(dirname(folder), { recursive: true });
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary);
  try {
    await make(temporary);
    try {
      renameSync(temporary, folder);
    } catch (error) {
      // Another process was faster: its folder is just as good.
      if (!existsSync(folder)) throw error;
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
    rmSync(`${temporary}.pom`, { recursive: true, force: true });
  }
}
