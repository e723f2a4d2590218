import { describe, expect, it } from "vitest";

import { KEEPS_DYING, Restarts } from "./restarts.js";

describe("a part that ends", () => {
  it("is started again for ever, later each time that it soon ends again", () => {
    const restarts = new Restarts();
    const delays = Array.from({ length: 1_000 }, () => {
      restarts.ended(100, false);
      return restarts.delayMs;
    });
    expect(delays.slice(0, 9)).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    expect(new Set(delays.slice(9))).toEqual(new Set([15_000]));
  });

  it("is said to keep dying once, and again only after it was well", () => {
    const restarts = new Restarts();
    const told = Array.from({ length: 20 }, (_, n) => {
      restarts.ended(n === 9 ? 60_000 : 100, false);
      return restarts.keepsDying ? [n] : [];
    }).flat();
    expect(told).toEqual([KEEPS_DYING - 1, 9 + KEEPS_DYING - 1]);
  });

  it("begins anew after a minute in which it was well", () => {
    const restarts = new Restarts();
    for (let n = 0; n < 10; n++) restarts.ended(100, false);
    restarts.ended(60_000, false);
    expect(restarts.delayMs).toBe(250);
  });

  it("is not blamed for being killed on purpose", () => {
    const restarts = new Restarts();
    for (let n = 0; n < 10; n++) restarts.ended(100, true);
    expect(restarts.delayMs).toBe(250);
    expect(restarts.keepsDying).toBe(false);
  });
});
