import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type Room, RoomGate } from "./room-gate.js";

const MB = 1e6;
const room = (freeBytes: number | undefined, bytes = 0): Room => ({
  freeBytes,
  undecided: [{ topic: "transactions.valid", partition: 0, bytes, retentionBytes: 100 * MB }],
});

describe("the gate before Kafka's room", () => {
  it("is open as long as nothing is known", () => {
    const gate = new RoomGate(MB);
    gate.update(undefined);
    expect(gate.shortage).toBeUndefined();
    gate.update(room(undefined));
    expect(gate.shortage).toBeUndefined();
  });

  it("closes when the disk is nearly full, and opens when more than that is free", () => {
    const gate = new RoomGate(200 * MB);
    const closed = [250, 200, 199, 210, 249, 251, 210].map((free) => {
      gate.update(room(free * MB));
      return gate.shortage !== undefined;
    });
    expect(closed).toEqual([false, false, true, true, true, false, false]);
    gate.update(room(5 * MB));
    expect(gate.shortage).toEqual({
      cause: "Kafka's disk is nearly full: 5 MB are free, and below 200 MB nothing is taken",
      retryAfterSeconds: 5,
    });
  });

  it("closes when half of what a partition keeps is undecided, and opens well below", () => {
    const gate = new RoomGate(0);
    const closed = [50, 51, 45, 41, 40, 45].map((bytes) => {
      gate.update(room(0, bytes * MB));
      return gate.shortage !== undefined;
    });
    expect(closed).toEqual([false, true, true, true, false, false]);
    gate.update(room(0, 60 * MB));
    expect(gate.shortage?.cause).toContain("60 MB of transactions.valid wait to be decided");
  });

  it("is never open while undecided records could be removed, whatever came before", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { minLength: 1 }), (loads) => {
        const gate = new RoomGate(0);
        for (const load of loads) gate.update(room(undefined, load * MB));
        expect(gate.shortage !== undefined || loads.at(-1)! <= 50).toBe(true);
      }),
    );
  });
});
