import { describe, expect, it } from "vitest";

import { Sampler } from "./sampler.js";

describe("a sampler", () => {
  it("asks one question at a time", async () => {
    let asked = 0;
    let reply: (() => void) | undefined;
    const sampler = new Sampler({
      everyMs: 1_000,
      take: () => new Promise<void>((resolve) => (asked++, (reply = resolve))),
    });
    const attempts = [sampler.sample(), sampler.sample(), sampler.sample()];
    expect(asked).toBe(1);
    reply!();
    await Promise.all(attempts);
    void sampler.sample();
    expect(asked).toBe(2);
    reply!();
  });

  it("keeps what it knows for a while without an answer, tells what is known after each attempt, and never rejects", async () => {
    const clock = { nowMs: 0 };
    let answer: () => Promise<string | undefined> = () => Promise.resolve("known");
    const told: (string | undefined)[] = [];
    const sampler = new Sampler({
      everyMs: 1_000,
      take: () => answer(),
      onAttempt: (known) => told.push(known),
      nowMs: () => clock.nowMs,
    });
    expect(sampler.known).toBeUndefined();
    await sampler.sample();
    answer = () => Promise.resolve(undefined);
    clock.nowMs = 15_000;
    await sampler.sample();
    answer = () => Promise.reject(new Error("no broker"));
    clock.nowMs = 15_001;
    await sampler.sample();
    expect(told).toEqual(["known", "known", undefined]);
  });
});
