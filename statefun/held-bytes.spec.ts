import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { HeldBytes, type Holding } from "./held-bytes.js";

describe("the bytes that a server holds", () => {
  it("are bounded by giving up the largest body that is still arriving", () => {
    const held = new HeldBytes(100);
    const gone: string[] = [];
    const begin = (name: string) => held.begin(() => gone.push(name));
    const [large, small] = [begin("large"), begin("small")];
    expect([large.add(60), small.add(40), held.bytes]).toEqual([true, true, 100]);
    expect(small.add(1)).toBe(true);
    expect([gone, held.bytes]).toEqual([["large"], 41]);
    // What comes after all of it is not counted twice.
    large.release();
    expect(held.bytes).toBe(41);
    small.received();
    const late = begin("late");
    expect(late.add(60)).toBe(false);
    expect([gone, held.bytes]).toEqual([["large"], 41]);
    small.charge(20);
    small.release();
    expect(held.bytes).toBe(0);
  });

  it("are none of a request whose client has gone away, whatever is still made of it", () => {
    const held = new HeldBytes(100);
    const gone = held.begin(() => expect.unreachable());
    expect(gone.add(60)).toBe(true);
    gone.received();
    gone.release();
    gone.charge(90);
    gone.waitsForClient(() => expect.unreachable());
    expect([gone.add(10), held.bytes]).toEqual([false, 0]);
    expect(held.begin(() => expect.unreachable()).add(100)).toBe(true);
  });

  it("are given up where an answer is not read, and not while they are worked on", () => {
    const held = new HeldBytes(100);
    const gone: string[] = [];
    const begin = (name: string, bytes: number): Holding => {
      const holding = held.begin(() => gone.push(name));
      holding.add(bytes);
      return holding;
    };
    const [unread, working] = [begin("unread", 20), begin("working", 30)];
    for (const one of [unread, working]) one.received();
    // An answer may take more than there is.
    unread.charge(60);
    unread.waitsForClient(() => gone.push("answer"));
    working.waitsForClient(() => gone.push("never"));
    working.goesOn();
    expect(begin("next", 10)).toBeDefined();
    expect([gone, held.bytes]).toEqual([["answer"], 40]);
    expect(held.begin(() => gone.push("large")).add(70)).toBe(false);
    expect([gone, held.bytes]).toEqual([["answer"], 40]);
  });

  it("never exceed the bound by what arrives, and are none in the end", () => {
    const step = fc.record({
      at: fc.nat(9),
      bytes: fc.nat(60),
      what: fc.constantFrom("add", "received", "unread", "read", "release"),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const held = new HeldBytes(100);
        const open = new Map<number, Holding>();
        const begin = (at: number): Holding => {
          const holding = held.begin(() => void open.delete(at));
          open.set(at, holding);
          return holding;
        };
        const received = new Set<Holding>();
        for (const { at, bytes, what } of steps) {
          const holding = open.get(at) ?? begin(at);
          if (what === "add" && !received.has(holding)) {
            if (!holding.add(bytes)) open.delete(at);
          } else if (what === "received") {
            holding.received();
            received.add(holding);
          } else if (what === "unread" && received.has(holding)) {
            holding.waitsForClient(() => void open.delete(at));
          } else if (what === "read" && received.has(holding)) {
            holding.goesOn();
          } else if (what === "release") {
            holding.release();
            open.delete(at);
          }
          expect(held.bytes).toBeLessThanOrEqual(100);
        }
        for (const holding of open.values()) holding.release();
        expect(held.bytes).toBe(0);
      }),
    );
  });
});
