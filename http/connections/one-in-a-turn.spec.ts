import { setImmediate as nextTurn } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import { oneInATurn } from "./one-in-a-turn.js";

describe("work that takes turns", () => {
  it("is done at once when there is no other, and one piece in each turn of the event loop when there is", async () => {
    const inTurn = oneInATurn();
    const done: number[] = [];
    for (let n = 0; n < 3; n++) inTurn(() => done.push(n));
    expect(done).toEqual([0]);
    inTurn(() => inTurn(() => done.push(4)));
    inTurn(() => done.push(5));
    for (const expected of [
      [0, 1],
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 2, 5],
      [0, 1, 2, 5, 4],
    ]) {
      await nextTurn();
      expect(done).toEqual(expected);
    }
    await nextTurn();
    inTurn(() => done.push(6));
    expect(done.at(-1)).toBe(6);
  });

  it("waits for the next turn also when there is no other, where it should", async () => {
    const inTurn = oneInATurn("next turn");
    const done: number[] = [];
    for (let n = 0; n < 2; n++) inTurn(() => done.push(n));
    for (const expected of [[], [0], [0, 1], [0, 1]]) {
      expect(done).toEqual(expected);
      await nextTurn();
    }
    inTurn(() => done.push(2));
    expect(done).toEqual([0, 1]);
    await nextTurn();
    expect(done).toEqual([0, 1, 2]);
  });

  it("goes on after work that failed", async () => {
    const inTurn = oneInATurn();
    let done = false;
    const fails = (): void =>
      inTurn(() => {
        throw new Error("failed");
      });
    expect(fails).toThrow("failed");
    inTurn(() => (done = true));
    expect(done).toBe(false);
    await nextTurn();
    expect(done).toBe(true);
  });
});
