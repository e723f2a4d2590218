import { closeSync, openSync, readSync } from "node:fs";

const PIECE_BYTES = 1 << 16;

/** Reads a growing text file: each call gives the lines completed since the last one. */
export function newLines(file: string): () => string[] {
  let position = 0;
  let rest: Buffer = Buffer.alloc(0);
  return () => {
    const opened = openSync(file, "r");
    const lines: string[] = [];
    try {
      for (const piece = Buffer.alloc(PIECE_BYTES); ;) {
        const read = readSync(opened, piece, 0, PIECE_BYTES, position);
        if (read === 0) return lines;
        position += read;
        const bytes = Buffer.concat([rest, piece.subarray(0, read)]);
        const end = bytes.lastIndexOf("\n") + 1;
        if (end > 0) lines.push(...bytes.toString("utf8", 0, end - 1).split("\n"));
        rest = bytes.subarray(end);
      }
    } finally {
      closeSync(opened);
    }
  };
}
