import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { AT_A_TIME, FewAtATime, TURN_MS } from "./few-at-a-time.js";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** Connections by number, and which of them are paused. */
function connections() {
  const paused = new Set<number>();
  const arriving = new FewAtATime<number>({
    pause: (connection) => {
      expect(paused.has(connection)).toBe(false);
      paused.add(connection);
    },
    resume: (connection) => {
      expect(paused.has(connection)).toBe(true);
      paused.delete(connection);
    },
  });
  return { paused, arriving };
}
const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);

describe("connections that are read a few at a time", () => {
  it("are read at once while they are few, and without a timer", () => {
    const { paused, arriving } = connections();
    for (const connection of numbers(0, AT_A_TIME)) arriving.began(connection);
    expect([paused.size, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it("go on as soon as another has ended", () => {
    const { paused, arriving } = connections();
    for (const connection of numbers(0, AT_A_TIME + 2)) arriving.began(connection);
    arriving.ended(3);
    expect([...paused]).toEqual([AT_A_TIME + 1]);
  });

  it("let a new one have its turn among very many that never end, and these among ever new ones", () => {
    const { paused, arriving } = connections();
    for (const connection of numbers(0, 1_000)) arriving.began(connection);
    // Half of each turn's had one before.
    const enough = (2 * 1_000) / AT_A_TIME;
    for (let n = 0; n < enough; n++) vi.advanceTimersByTime(TURN_MS);
    arriving.began(1_000);
    vi.advanceTimersByTime(TURN_MS);
    expect(paused.has(1_000)).toBe(false);
    const had = new Set<number>();
    for (let n = 0; n <= enough; n++) {
      for (const connection of numbers(2_000 + 100 * n, 2_100 + 100 * n)) arriving.began(connection);
      vi.advanceTimersByTime(TURN_MS);
      for (const connection of numbers(0, 1_000)) if (!paused.has(connection)) had.add(connection);
    }
    expect(had.size).toBe(1_000);
  });

  it("are never too many, and each has its turn, whatever begins and ends when", () => {
    const steps = fc.array(
      fc.oneof(
        fc.constant("turn"),
        fc.nat(60),
        fc.nat(60).map((n) => -1 - n),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        vi.clearAllTimers();
        const { paused, arriving } = connections();
        const open = new Set<number>();
        let begun = 0;
        for (const step of all) {
          if (step === "turn") vi.advanceTimersByTime(TURN_MS);
          else if (step >= 0)
            for (const connection of numbers(begun, (begun += step))) {
              open.add(connection);
              arriving.began(connection);
            }
          else
            for (const connection of [...open].slice(0, -step)) {
              open.delete(connection);
              arriving.ended(connection);
            }
          const read = [...open].filter((connection) => !paused.has(connection)).length;
          expect(read).toBe(Math.min(open.size, AT_A_TIME));
          expect(paused.size).toBe(open.size - read);
        }
        const had = new Set<number>();
        for (let n = 0; n <= (2 * open.size) / AT_A_TIME; n++) {
          for (const connection of open) if (!paused.has(connection)) had.add(connection);
          vi.advanceTimersByTime(TURN_MS);
        }
        expect(had.size).toBe(open.size);
        for (const connection of open) arriving.ended(connection);
        vi.advanceTimersByTime(TURN_MS);
        expect(vi.getTimerCount()).toBe(0);
      }),
    );
  });
});
