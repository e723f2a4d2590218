import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { UserError } from "../terminal/user-error.js";

const SMALLEST_BYTES = 1024;

/** Bytes of one shard that have not been written yet, and where the written ones are. */
interface Shard {
  buffer: Buffer;
  length: number;
  segments: { readonly position: number; readonly length: number }[];
}

/**
 * Bytes in shards, each in the order in which they came: in memory while they are few, then in a temporary file, from
 * which they are read back a shard at a time.
 *
 * The file need not be removed: it loses its name at once, and disappears with the process, however that ends.
 */
export class Spill {
  readonly #shards: Shard[];
  readonly #memoryBytes: number;
  #held = 0;
  #file: number | undefined;
  #fileBytes = 0;

  /** @param memoryBytes - how much all shards together may hold in memory */
  constructor(shards: number, memoryBytes: number) {
    this.#shards = Array.from({ length: shards }, () => ({ buffer: Buffer.alloc(0), length: 0, segments: [] }));
    this.#memoryBytes = memoryBytes;
  }

  /** The size of the file, in bytes. */
  get fileBytes(): number {
    return this.#fileBytes;
  }

  /** @throws {UserError} when the disk is full */
  append(shard: number, ...parts: readonly Uint8Array[]): void {
    const to = this.#shards[shard]!;
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    if (to.length + length > to.buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(SMALLEST_BYTES, 2 * to.buffer.length, to.length + length));
      to.buffer.copy(larger, 0, 0, to.length);
      to.buffer = larger;
    }
    for (const part of parts) {
      to.buffer.set(part, to.length);
      to.length += part.length;
    }
    this.#held += length;
    if (this.#held > this.#memoryBytes) this.#write();
  }

  /** A shard's bytes. It is empty afterwards. */
  take(shard: number): Buffer {
    const from = this.#shards[shard]!;
    const written = from.segments.reduce((sum, { length }) => sum + length, 0);
    const held = from.buffer.subarray(0, from.length);
    let bytes = held;
    if (written > 0) {
      bytes = Buffer.allocUnsafeSlow(written + from.length);
      let at = 0;
      for (const { position, length } of from.segments) {
        for (let done = 0; done < length;) {
          const read = readSync(this.#file!, bytes, at + done, length - done, position + done);
          if (read === 0) throw new Error(`the temporary file ends at ${position + done}`);
          done += read;
        }
        at += length;
      }
      held.copy(bytes, at);
    }
    this.#held -= from.length;
    this.#shards[shard] = { buffer: Buffer.alloc(0), length: 0, segments: [] };
    return bytes;
  }

  /** Releases memory and disk. */
  close(): void {
    this.#shards.length = 0;
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #write(): void {
    this.#file ??= namelessFile();
    for (const shard of this.#shards) {
      if (shard.length === 0) continue;
      try {
        for (let done = 0; done < shard.length;)
          done += writeSync(this.#file, shard.buffer, done, shard.length - done, this.#fileBytes + done);
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== "ENOSPC") throw cause;
        throw new UserError(
          `no room in ${tmpdir()} for more than ${Math.round(this.#fileBytes / 2 ** 20)} MB of records; TMPDIR names another folder`,
          { cause },
        );
      }
      shard.segments.push({ position: this.#fileBytes, length: shard.length });
      this.#fileBytes += shard.length;
      shard.length = 0;
    }
    this.#held = 0;
  }
}

function namelessFile(): number {
  const folder = mkdtempSync(join(tmpdir(), "fraud-verify-"));
  try {
    return openSync(join(folder, "records"), "wx+", 0o600);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
