import type { Shape } from "./settings.js";

const MAX_COUNT = 2 ** 32 - 1;
export const MAX_SUM = 2n ** 63n - 1n;

interface Bucket {
  count: number;
  amountMinor: bigint;
}

/**
 * Counts and sums by bucket of event time, as `docs/features.md` defines windows. Forgets by the shape of each call.
 */
export class BucketWindow {
  readonly #buckets = new Map<bigint, Bucket>();

  /** Drops what has left the window at `asOf`. */
  moveTo(asOf: bigint, shape: Shape): void {
    const oldest = oldestBucket(asOf, shape);
    for (const bucket of this.#buckets.keys()) if (bucket < oldest) this.#buckets.delete(bucket);
  }

  add(time: bigint, asOf: bigint, shape: Shape, count: number, amountMinor: bigint): void {
    const number = time / BigInt(shape.bucketMs);
    if (number < oldestBucket(asOf, shape)) return;
    const { count: before, amountMinor: sum } = this.#buckets.get(number) ?? { count: 0, amountMinor: 0n };
    const after = Math.min(before + count, MAX_COUNT);
    if (after <= 0) this.#buckets.delete(number);
    else this.#buckets.set(number, { count: after, amountMinor: atMost(sum + amountMinor, MAX_SUM) });
  }

  total(asOf: bigint, shape: Shape): Readonly<Bucket> {
    const newest = asOf / BigInt(shape.bucketMs);
    const oldest = oldestBucket(asOf, shape);
    const total = { count: 0, amountMinor: 0n };
    for (const [number, { count, amountMinor }] of this.#buckets) {
      if (number < oldest || number > newest) continue;
      total.count += count;
      total.amountMinor += amountMinor;
    }
    return { count: Math.min(total.count, MAX_COUNT), amountMinor: atMost(total.amountMinor, MAX_SUM) };
  }
}

const oldestBucket = (asOf: bigint, { buckets, bucketMs }: Shape): bigint =>
  asOf / BigInt(bucketMs) - BigInt(buckets) + 1n;
export const atMost = (value: bigint, limit: bigint): bigint => (value > limit ? limit : value);
