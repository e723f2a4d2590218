import { describe, expect, it } from "vitest";

import { Waiters } from "./waiters.js";

describe("waiters", () => {
  it("get what they accept, and news is made only when someone waits", async () => {
    const waiters = new Waiters<number>();
    let made = 0;
    const news = (value: number) => () => {
      made++;
      return value;
    };
    waiters.tell("a", news(1));
    expect(made).toBe(0);
    const any = waiters.wait("a", 10_000);
    const large = waiters.wait("a", 10_000, (value) => value > 5);
    waiters.tell("b", news(9));
    waiters.tell("a", news(2));
    expect(await any).toBe(2);
    waiters.tell("a", news(7));
    expect(await large).toBe(7);
    waiters.tell("a", news(8));
    expect(made).toBe(2);
  });

  it("get nothing when the time is up, or when all waiting is ended", async () => {
    const waiters = new Waiters<number>();
    expect(await waiters.wait("a", 1)).toBeUndefined();
    const waiting = waiters.wait("a", 10_000);
    waiters.stop();
    expect(await waiting).toBeUndefined();
    expect(await waiters.wait("a", 10_000)).toBeUndefined();
  });

  it("lets go of a client that has gone away, or is already known to have gone when it comes", async () => {
    const waiters = new Waiters<number>();
    const gone = new AbortController();
    const waiting = waiters.wait("a", 3_600_000, undefined, gone.signal);
    gone.abort();
    expect(await waiting).toBeUndefined();
    expect(await waiters.wait("a", 3_600_000, undefined, gone.signal)).toBeUndefined();
  });
});
