import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { add, emptyWindow, expire, total } from "./window.js";

const shape = { buckets: 3, bucketMs: 10 };

describe("a window", () => {
  it("counts its last buckets and forgets older ones", () => {
    const window = emptyWindow();
    add(window, shape, 5n, 5n, 1, 100n);
    add(window, shape, 12n, 12n, 1, 50n);
    expect(total(window, shape, 12n)).toEqual({ count: 2, amountMinor: 150n });
    expect(total(window, shape, 29n)).toEqual({ count: 2, amountMinor: 150n });
    expect(total(window, shape, 30n)).toEqual({ count: 1, amountMinor: 50n });
    expire(window, shape, 30n);
    expect(window.buckets).toEqual([1n]);
    expire(window, shape, 1000n);
    expect(window).toEqual(emptyWindow());
  });

  it("takes in late times in their place and ignores those that are gone", () => {
    const window = emptyWindow();
    add(window, shape, 35n, 35n, 1, 1n);
    add(window, shape, 35n, 14n, 1, 2n);
    add(window, shape, 35n, 25n, 1, 4n);
    add(window, shape, 35n, 9n, 1, 8n);
    expect(window.buckets).toEqual([1n, 2n, 3n]);
    expect(total(window, shape, 35n)).toEqual({ count: 3, amountMinor: 7n });
  });

  it("keeps what is still to come, without counting it", () => {
    const window = emptyWindow();
    add(window, shape, 5n, 95n, 1, 0n);
    expect(total(window, shape, 5n).count).toBe(0);
    expect(total(window, shape, 95n).count).toBe(1);
  });

  it("never counts below zero", () => {
    const window = emptyWindow();
    add(window, shape, 5n, 5n, -1, 0n);
    expect(window).toEqual(emptyWindow());
    add(window, shape, 5n, 5n, 1, 0n);
    add(window, shape, 5n, 5n, -1, 0n);
    expect(window).toEqual(emptyWindow());
  });

  it("stays at the greatest sum instead of failing to encode", () => {
    const window = emptyWindow();
    const max = 2n ** 63n - 1n;
    add(window, shape, 5n, 5n, 1, max);
    add(window, shape, 5n, 5n, 1, 1n);
    expect(total(window, shape, 5n)).toEqual({ count: 2, amountMinor: max });
  });

  it("equals a plain list of events for any order of times", () => {
    const event = fc.record({ at: fc.bigInt({ min: 0n, max: 200n }), amount: fc.bigInt({ min: 0n, max: 1000n }) });
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 60 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 30 }),
        (events, buckets, bucketMs) => {
          const any = { buckets, bucketMs };
          const window = emptyWindow();
          const kept: typeof events = [];
          let asOf = 0n;
          for (const event of events) {
            if (event.at > asOf) asOf = event.at;
            expire(window, any, asOf);
            add(window, any, asOf, event.at, 1, event.amount);
            kept.push(event);
            const first = asOf / BigInt(bucketMs) - BigInt(buckets) + 1n;
            const inside = kept.filter(({ at }) => at / BigInt(bucketMs) >= first);
            expect(total(window, any, asOf)).toEqual({
              count: inside.length,
              amountMinor: inside.reduce((sum, { amount }) => sum + amount, 0n),
            });
            expect(window.buckets.length).toBeLessThanOrEqual(buckets);
          }
        },
      ),
    );
  });
});
