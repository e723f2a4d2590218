import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import type { Progress } from "./cache.js";
import { installDebian, mayInstall } from "./requirements.js";

const LIBRARIES = "/usr/lib";

/** Debian's libfaketime, which tells a program another time than the system's; undefined where it is not installed. */
export const fakeTimeLibrary = (): string | undefined =>
  (existsSync(LIBRARIES) ? readdirSync(LIBRARIES) : [])
    .map((folder) => `${LIBRARIES}/${folder}/faketime/libfaketimeMT.so.1`)
    .find(existsSync);

/**
 * Installs libfaketime as root on Debian, unless it is there. Tests that need it skip without it, so this never fails.
 */
export async function ensureFakeTime(onProgress: Progress): Promise<void> {
  if (fakeTimeLibrary() !== undefined) return;
  if (!mayInstall())
    return onProgress("no libfaketime: what needs a clock that jumps is skipped (get it: apt-get install libfaketime)");
  try {
    await installDebian("libfaketime", ["libfaketime"], onProgress);
  } catch (error) {
    onProgress(
      `no libfaketime, so what needs a clock that jumps is skipped: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** The clock on the wall of one program alone; what it measures durations by stays as it is, and so do files' times. */
export class OwnClock {
  readonly #file: string;

  /** @param file - holds the time; it is written */
  constructor(file: string) {
    this.#file = file;
    this.setAhead(0);
  }

  /** What a program gets into its environment to go by it. */
  get env(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: fakeTimeLibrary() ?? "",
      FAKETIME_TIMESTAMP_FILE: this.#file,
      // Looked up once a second: programs ask for the time very often.
      FAKETIME_CACHE_DURATION: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      DONT_FAKE_MONOTONIC: "1",
      // By default it spoils the time limits of waits by that other clock: threads turn round instead of waiting.
      FAKETIME_FORCE_MONOTONIC_FIX: "0",
      NO_FAKE_STAT: "1",
    };
  }

  /** Sets it so many days ahead of the system's: the program notices within a second, or when it starts. */
  setAhead(days: number): void {
    mkdirSync(dirname(this.#file), { recursive: true });
    // It may be read at any moment.
    writeFileSync(`${this.#file}.new`, `+${days}d\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }
}
