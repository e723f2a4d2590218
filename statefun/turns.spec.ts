import { setImmediate as turn } from "node:timers/promises";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { asLongWork, eachInTurn, inNextTurn, inTurn, longWork, turnIsOver } from "./turns.js";

// A clock that only work moves.
let nowMs = 0;
const work = (ms: number): void => void (nowMs += ms);
beforeEach(() => void vi.spyOn(performance, "now").mockImplementation(() => nowMs));
afterEach(() => void vi.restoreAllMocks());

describe("turns of the event loop", () => {
  it("hold what there is time for, and leave the rest to the next turn, in order", async () => {
    const done: string[] = [];
    inTurn(() => done.push("first"));
    expect(turnIsOver()).toBe(false);
    inTurn(() => {
      work(25);
      done.push("long");
    });
    expect(turnIsOver()).toBe(true);
    inTurn(() => {
      done.push("queued");
      inTurn(() => done.push("goes on"));
    });
    inTurn(() => done.push("queued too"));
    expect(done).toEqual(["first", "long"]);
    await expect.poll(() => done).toEqual(["first", "long", "queued", "queued too", "goes on"]);
  });

  it("begin anew when there is no work", async () => {
    inTurn(() => work(25));
    expect(turnIsOver()).toBe(true);
    await turn();
    expect(turnIsOver()).toBe(false);
  });

  it("have short work first, and one share of long work, which goes on with what has begun", async () => {
    const done: string[] = [];
    const share = (name: string, shares: number): void => {
      done.push(name);
      work(5);
      if (shares > 1) inNextTurn(() => share(name, shares - 1));
      else inTurn(() => done.push(`short after ${name}`));
    };
    inTurn(() => work(25));
    asLongWork(() => share("one", 3));
    asLongWork(() => share("two", 1));
    inTurn(() => done.push("short"));
    expect([done, longWork()]).toEqual([[], 2]);
    await turn();
    expect(done).toEqual(["short", "one"]);
    await expect.poll(() => done).toEqual(["short", "one", "one", "one", "short after one", "two", "short after two"]);
    expect(longWork()).toBe(0);
  });

  it("come between items, as many as there is time for, and short work does not wait for more than a share", async () => {
    const seen: (string | number)[] = [];
    const items = (name: string) =>
      eachInTurn([1, 2, 3], (item) => {
        work(15);
        seen.push(`${name} ${item}`);
      });
    const all = [items("a"), items("b"), items("c")];
    expect(seen).toEqual(["a 1"]);
    inTurn(() => seen.push("another"));
    await turn();
    inTurn(() => seen.push("one more"));
    await Promise.all(all);
    expect(seen.indexOf("one more") - seen.indexOf("another")).toBeLessThanOrEqual(4);
    expect(seen.filter((name) => name !== "another" && name !== "one more").sort()).toEqual(
      ["a", "b", "c"].flatMap((name) => [1, 2, 3].map((n) => `${name} ${n}`)),
    );
    await turn();
    const failing = eachInTurn([1, 2, 3], (item) => {
      work(25);
      if (item === 2) throw new Error("the second");
    });
    await expect(failing).rejects.toThrow("the second");
  });

  it("come between pieces of work that are each as long as one", async () => {
    const seen: (string | number)[] = [];
    for (const piece of [1, 2, 3, 4]) {
      inTurn(() => {
        work(25);
        seen.push(piece);
      });
    }
    await turn();
    await turn();
    seen.push("others");
    await expect.poll(() => seen).toHaveLength(5);
    expect(seen.indexOf("others")).toBeLessThan(4);
  });
});
