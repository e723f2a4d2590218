/** What a write fails with for want of room: on the disk, or in what somebody may use of it. */
const NO_ROOM: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT"]);

/**
 * Lets this process live on when what it prints goes to a file and the disk is full: by default Node ends a process at
 * the first line that cannot be written. Such lines are lost; once there is room again, later ones are written.
 */
export function surviveFullDisk(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (!NO_ROOM.has(error.code)) throw error;
    });
}
