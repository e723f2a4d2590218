import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { poll } from "../../process/poll.js";
import { runQuietly } from "../../process/run-command.js";
import { UserError } from "../../terminal/user-error.js";

/** What a short run writes, several times over; sparse, so that it costs nothing until then. */
const DISK_BYTES = 2 ** 30;
const BUSY_LIMIT_MS = 30_000;
const CHUNKS = [2 ** 24, 2 ** 16, 2 ** 12, 1];

/** A file system of its own below a folder. */
export interface SmallDisk {
  /** Takes it away again, with all that is on it but the logs. */
  remove(): Promise<void>;
}

/**
 * Puts an ext4 file system of its own, in a file beside it, below a cluster's data folder, so that it can be filled
 * without harm to anything else.
 *
 * @throws {UserError} where that is not possible: it takes root, Linux, and a loop device
 */
export async function smallDisk(folder: string): Promise<SmallDisk> {
  const image = `${folder}.ext4`;
  const run = async (command: string, ...args: readonly string[]): Promise<void> => {
    const { code, output } = await runQuietly(command, args).catch((error: unknown) => ({
      code: 1,
      output: error instanceof Error ? error.message : String(error),
    }));
    if (code !== 0)
      throw new UserError(
        `the fault disk-full needs a disk of its own, which takes root and a loop device. ${command}: ${output.trim()}`,
      );
  };
  // One that an earlier run has left: a killed one cannot take it away.
  while (isMounted(folder)) await run("umount", folder);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(image, "");
  truncateSync(image, DISK_BYTES);
  try {
    await run("mkfs.ext4", "-q", "-F", image);
    await run("mount", "-o", "loop", image, folder);
  } catch (error) {
    rmSync(image, { force: true });
    throw error;
  }
  return {
    async remove() {
      const kept = mkdtempSync(join(tmpdir(), "fraud-logs-"));
      if (existsSync(join(folder, "logs"))) cpSync(join(folder, "logs"), kept, { recursive: true });
      // The last of those that had files open there may be about to end.
      await poll(`${folder} to be unmounted`, () => run("umount", folder).then(() => true), {
        timeoutMs: BUSY_LIMIT_MS,
      });
      rmSync(image, { force: true });
      cpSync(kept, join(folder, "logs"), { recursive: true });
      rmSync(kept, { recursive: true, force: true });
    },
  };
}

/** Whether a folder is on another file system than the one above it. */
export const isMounted = (folder: string): boolean =>
  statSync(folder, { throwIfNoEntry: false }) !== undefined && statSync(folder).dev !== statSync(dirname(folder)).dev;

/** Something that takes all the room on a disk. */
export class Ballast {
  readonly #file: string;

  /** @throws {UserError} when the folder has no disk of its own */
  constructor(folder: string) {
    if (!isMounted(folder)) throw new UserError(`${folder} has no disk of its own: that of others is not filled`);
    this.#file = join(folder, "ballast");
  }

  /** Takes what room there is, to the last byte; call it again for what was freed since. */
  fill(): void {
    const file = openSync(this.#file, "a");
    try {
      for (const bytes of CHUNKS) {
        const chunk = Buffer.alloc(bytes);
        try {
          while (writeSync(file, chunk) === bytes);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
        }
      }
    } finally {
      closeSync(file);
    }
  }

  /** Gives all of it back. */
  drop(): void {
    rmSync(this.#file, { force: true });
  }
}
