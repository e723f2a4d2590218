import { createHash } from "node:crypto";

import type { StoredRecord } from "../../verifier/records.js";

/** Offsets per page. */
const PAGE = 4096;

type Position = Pick<StoredRecord, "topic" | "partition" | "offset">;

/** What was at which position, in 8 bytes each: millions of records fit into memory. */
export class ContentTable {
  /** By topic and partition, then by page. 0 means nothing. */
  readonly #partitions = new Map<
    string,
    { readonly topic: string; readonly partition: number; readonly pages: Map<number, BigUint64Array> }
  >();
  #size = 0;

  /** How many positions hold something. */
  get size(): number {
    return this.#size;
  }

  /** @param content - 1 to 2^64 − 1 */
  set({ topic, partition, offset }: Position, content: bigint): void {
    const key = `${topic} ${partition}`;
    let known = this.#partitions.get(key);
    if (known === undefined) this.#partitions.set(key, (known = { topic, partition, pages: new Map() }));
    const number = Math.floor(Number(offset) / PAGE);
    let page = known.pages.get(number);
    if (page === undefined) known.pages.set(number, (page = new BigUint64Array(PAGE)));
    const at = Number(offset) % PAGE;
    if (page[at] === 0n) this.#size++;
    page[at] = content;
  }

  /** `undefined` if nothing was there. */
  get({ topic, partition, offset }: Position): bigint | undefined {
    const page = this.#partitions.get(`${topic} ${partition}`)?.pages.get(Math.floor(Number(offset) / PAGE));
    const content = page?.[Number(offset) % PAGE];
    return content === 0n ? undefined : content;
  }

  /** Every position that holds something, with its content. */
  *[Symbol.iterator](): Generator<readonly [Position, bigint]> {
    for (const { topic, partition, pages } of this.#partitions.values()) {
      for (const [number, page] of pages) {
        for (let at = 0; at < PAGE; at++)
          if (page[at] !== 0n) yield [{ topic, partition, offset: BigInt(number * PAGE + at) }, page[at]!];
      }
    }
  }
}

/** A record's content in 8 bytes: the first 8 of its SHA-256. */
export function contentOf({ value }: Pick<StoredRecord, "value">): bigint {
  const content = createHash("sha256")
    .update(value ?? "")
    .digest()
    .readBigUInt64BE();
  return content === 0n ? 1n : content;
}
