import { setImmediate as turn } from "node:timers/promises";

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { AT_A_TIME, FewAtATime, TURN_MS } from "./few-at-a-time.js";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** Bodies by number, and which of them are paused. */
function bodies() {
  const paused = new Set<number>();
  const arriving = new FewAtATime<number>({
    pause: (body) => {
      expect(paused.has(body)).toBe(false);
      paused.add(body);
    },
    resume: (body) => {
      expect(paused.has(body)).toBe(true);
      paused.delete(body);
    },
  });
  return { paused, arriving };
}
const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);

describe("bodies that are read a few at a time", () => {
  it("are read at once while they are few, and without a timer", async () => {
    const { paused, arriving } = bodies();
    for (const body of numbers(0, AT_A_TIME)) arriving.began(body);
    await turn();
    expect([paused.size, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it("do not wait when they come with their head, however many there are", async () => {
    const { paused, arriving } = bodies();
    for (const body of numbers(0, 10 * AT_A_TIME)) arriving.began(body);
    arriving.ended(AT_A_TIME + 1);
    await turn();
    expect(paused.has(AT_A_TIME + 1)).toBe(false);
    expect(paused.size).toBe(9 * AT_A_TIME - 1);
  });

  it("go on as soon as another has ended", async () => {
    const { paused, arriving } = bodies();
    for (const body of numbers(0, AT_A_TIME + 2)) arriving.began(body);
    await turn();
    arriving.ended(3);
    expect([...paused]).toEqual([AT_A_TIME + 1]);
  });

  it("let a new one have its turn among very many that never end, and these among ever new ones", async () => {
    const { paused, arriving } = bodies();
    for (const body of numbers(0, 1_000)) arriving.began(body);
    await turn();
    for (let n = 0; n < 100; n++) vi.advanceTimersByTime(TURN_MS);
    arriving.began(1_000);
    await turn();
    vi.advanceTimersByTime(TURN_MS);
    expect(paused.has(1_000)).toBe(false);
    const had = new Set<number>();
    for (let n = 0; n < 100; n++) {
      for (const body of numbers(2_000 + 100 * n, 2_100 + 100 * n)) arriving.began(body);
      await turn();
      vi.advanceTimersByTime(TURN_MS);
      for (const body of numbers(0, 1_000)) if (!paused.has(body)) had.add(body);
    }
    expect(had.size).toBe(1_000);
  });

  it("are never too many, and each has its turn, whatever begins and ends when", async () => {
    const steps = fc.array(
      fc.oneof(
        fc.constant("turn"),
        fc.nat(60),
        fc.nat(60).map((n) => -1 - n),
      ),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        vi.clearAllTimers();
        const { paused, arriving } = bodies();
        const open = new Set<number>();
        let begun = 0;
        for (const step of all) {
          if (step === "turn") vi.advanceTimersByTime(TURN_MS);
          else if (step >= 0)
            for (const body of numbers(begun, (begun += step))) {
              open.add(body);
              arriving.began(body);
            }
          else
            for (const body of [...open].slice(0, -step)) {
              open.delete(body);
              arriving.ended(body);
            }
          await turn();
          // One that has ended while it waited stays as it is.
          const read = [...open].filter((body) => !paused.has(body)).length;
          expect(read).toBe(Math.min(open.size, AT_A_TIME));
        }
        const had = new Set<number>();
        for (let n = 0; n <= (2 * open.size) / AT_A_TIME; n++) {
          for (const body of open) if (!paused.has(body)) had.add(body);
          vi.advanceTimersByTime(TURN_MS);
        }
        expect(had.size).toBe(open.size);
        for (const body of open) arriving.ended(body);
        vi.advanceTimersByTime(TURN_MS);
        expect(vi.getTimerCount()).toBe(0);
      }),
    );
  });
});
