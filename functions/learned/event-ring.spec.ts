import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { addEvent, decodeEvents, encodeEvents, eventHash, markFraud, type PastEvent } from "./event-ring.js";

const MAX_TIME = 253_402_300_799_999;
const event = fc.record({
  time: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: MAX_TIME })),
  value: fc.oneof(fc.nat(300), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })),
  hash: fc.oneof(fc.nat(3), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
  fraudFrom: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: MAX_TIME })),
});
const inOrder = (events: readonly PastEvent[]): PastEvent[] =>
  events.toSorted((a, b) => a.time - b.time || a.hash - b.hash);

describe("a ring of events", () => {
  it("keeps the last of whatever came, in order, byte for byte through its encoding, and says what left", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(event, fc.nat(20)), { maxLength: 60 }), (steps) => {
        let bytes = encodeEvents([]);
        let kept: PastEvent[] = [];
        for (const [one, keep] of steps) {
          const events = decodeEvents(bytes);
          const left = addEvent(events, { ...one }, keep);
          const all = inOrder([...kept, one]);
          kept = all.slice(Math.max(0, all.length - keep));
          expect([...left, ...events]).toEqual(all);
          expect(events).toEqual(kept);
          bytes = encodeEvents(events);
          expect(decodeEvents(bytes)).toEqual(kept);
        }
      }),
    );
  });

  it("marks and unmarks a fraud by its hash alone", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 10 }), fc.nat(3), fc.nat(9), (events, hash, fraudFrom) => {
        const marked = events.map((one) => ({ ...one }));
        markFraud(marked, hash, fraudFrom);
        expect(marked).toEqual(events.map((one) => (one.hash === hash ? { ...one, fraudFrom } : one)));
      }),
    );
  });

  it("takes about 12 bytes an event: at most 2,500 bytes for 192 of a month, a quarter of them fraud", () => {
    const HOUR = 3_600_000;
    const events = Array.from({ length: 192 }, (_, n) => ({
      time: 1_767_225_600_000 + n * 4 * HOUR + ((n * 7_919) % HOUR),
      value: 100 + ((n * 104_729) % 50_000),
      hash: eventHash(`t-${n}`),
      fraudFrom: n % 4 === 0 ? 1_767_225_600_000 + n * 4 * HOUR + 168 * HOUR : 0,
    }));
    expect(encodeEvents(events).length).toBeLessThan(2_500);
  });

  it("finds a transaction by 4 bytes of SHA-256 of its ids", () => {
    // printf 'a\0t-1' | sha256sum
    expect(eventHash("a", "t-1").toString(16)).toBe("2037d8c5");
    expect(eventHash("t-1").toString(16)).toBe("46e9bc34");
    expect(eventHash("a", "b\0c")).toBe(eventHash("a\0b", "c"));
  });
});
