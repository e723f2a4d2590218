import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { PastEvent } from "./event-ring.js";
import { decodeSeen, encodeSeen, type SeenPlace } from "./seen-places.js";

const seen: fc.Arbitrary<SeenPlace> = fc.record({
  isNew: fc.boolean(),
  place: fc.option(
    fc.record({
      latitudeE6: fc.integer({ min: -90_000_000, max: 90_000_000 }),
      longitudeE6: fc.integer({ min: -180_000_000, max: 180_000_000 }),
    }),
    { nil: undefined },
  ),
  isFar: fc.boolean(),
  speedKmh: fc.option(fc.oneof(fc.nat(1000), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })), { nil: undefined }),
});
const event = (n: number, of: SeenPlace | undefined): PastEvent => ({
  time: 1 + n,
  value: n,
  hash: n,
  fraudFrom: 0,
  seen: of,
});

describe("what was seen of places", () => {
  it("goes through its encoding, each with its own event, and what nobody looked at stays so", () => {
    fc.assert(
      fc.property(fc.array(fc.option(seen, { nil: undefined }), { maxLength: 60 }), (all) => {
        const events = all.map((one, n) => event(n, one));
        const bytes = encodeSeen(events);
        expect(bytes.length).toBeLessThanOrEqual(19 * all.length);
        const bare = all.map((_, n) => event(n, undefined));
        decodeSeen(bytes, bare);
        expect(bare).toEqual(events);
      }),
    );
  });

  it("leaves events as they are without bytes", () => {
    const events = [event(0, undefined), event(1, undefined)];
    decodeSeen(Buffer.alloc(0), events);
    expect(events.map((one) => one.seen)).toEqual([undefined, undefined]);
  });

  it("takes at most 9 bytes an event within a degree, after the first; 1 on the web", () => {
    const region = fc.record({
      isNew: fc.boolean(),
      place: fc.record({
        latitudeE6: fc.integer({ min: 45_000_000, max: 46_000_000 }),
        longitudeE6: fc.integer({ min: 5_000_000, max: 6_000_000 }),
      }),
      isFar: fc.boolean(),
      speedKmh: fc.option(fc.nat(16_383), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(region, { maxLength: 60 }), (all) => {
        const bytes = encodeSeen(all.map((one, n) => event(n, one)));
        expect(bytes.length).toBeLessThanOrEqual(2 + 9 * all.length);
      }),
    );
    const onWeb = { isNew: true, place: undefined, isFar: false, speedKmh: undefined };
    expect(encodeSeen([event(0, onWeb), event(1, onWeb)])).toHaveLength(2);
  });
});
