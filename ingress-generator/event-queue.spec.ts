import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { EventQueue } from "./event-queue.js";

describe("EventQueue", () => {
  it("gives events by time, and of the same time in the order in which they came", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), (times) => {
        const queue = new EventQueue<{ at: number; n: number }>();
        times.forEach((at, n) => queue.push(at, { at, n }));
        const out: { at: number; n: number }[] = [];
        for (let event = queue.pop(); event !== undefined; event = queue.pop()) out.push(event);
        expect(out).toEqual(times.map((at, n) => ({ at, n })).sort((a, b) => a.at - b.at || a.n - b.n));
        expect(queue.nextAt).toBe(Infinity);
      }),
    );
  });
});
