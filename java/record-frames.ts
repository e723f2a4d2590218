import type { RawRecord } from "../contract/raw-record.js";

/**
 * Where a partition was read from and where it ended. A last stable offset below the high watermark means an open
 * transaction.
 */
export interface ReadPartition {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint;
  readonly lastStableOffset: bigint;
  readonly highWatermark: bigint;
}

const LENGTH_BYTES = 4;
const HEAD_BYTES = 7;
const PARTITION = "p".charCodeAt(0);

/**
 * Parses what `java/ReadTopics.java` writes (its comment has the format): frames, in pieces as they come out of a pipe.
 */
export class FrameReader {
  readonly #topics: readonly string[];
  #rest: Buffer = Buffer.alloc(0);

  /** @param topics - in the order in which the Java program was given them */
  constructor(topics: readonly string[]) {
    // A topic that is named twice has the number of its first mention.
    this.#topics = [...new Set(topics)];
  }

  /** The frames that this piece completes. Their bytes are copies: keeping them keeps no piece alive. */
  *push(piece: Buffer): Generator<RawRecord | ReadPartition> {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let at = 0;
    while (bytes.length - at >= LENGTH_BYTES) {
      const end = at + LENGTH_BYTES + bytes.readUInt32BE(at);
      if (end > bytes.length) break;
      yield this.#frame(Buffer.from(bytes.subarray(at + LENGTH_BYTES, end)));
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }

  #frame(frame: Buffer): RawRecord | ReadPartition {
    const topic = this.#topics[frame.readUInt16BE(1)]!;
    const partition = frame.readUInt32BE(3);
    if (frame[0] === PARTITION)
      return {
        topic,
        partition,
        from: frame.readBigUInt64BE(HEAD_BYTES),
        lastStableOffset: frame.readBigUInt64BE(HEAD_BYTES + 8),
        highWatermark: frame.readBigUInt64BE(HEAD_BYTES + 16),
      };
    const keyAt = HEAD_BYTES + 16;
    const keyLength = frame.readInt32BE(keyAt);
    const valueAt = keyAt + 4 + Math.max(0, keyLength);
    return {
      topic,
      partition,
      offset: frame.readBigUInt64BE(HEAD_BYTES),
      timestampMs: Number(frame.readBigInt64BE(HEAD_BYTES + 8)),
      key: keyLength < 0 ? null : frame.subarray(keyAt + 4, valueAt),
      value: frame.readInt32BE(valueAt) < 0 ? null : frame.subarray(valueAt + 4),
    };
  }
}
