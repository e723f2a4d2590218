import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { UnreadAnswers } from "./unread-answers.js";

const MAX_BYTES = 100;
let open: Map<string, number>;
let looks: number;
let dropped: string[];
const start = (): UnreadAnswers<string> =>
  new UnreadAnswers<string>({
    unread: () => {
      looks++;
      return open;
    },
    maxBytes: MAX_BYTES,
    drop: (connection) => {
      open.delete(connection);
      dropped.push(connection);
    },
  });
beforeEach(() => {
  vi.useFakeTimers();
  vi.advanceTimersByTime(1_000);
  open = new Map();
  [looks, dropped] = [0, []];
});
afterEach(() => void vi.useRealTimers());

describe("answers that are not read", () => {
  it("cost those clients their connections that have most of it, until the rest is within the bound", () => {
    const answers = start();
    open = new Map([
      ["a", 30],
      ["b", 60],
      ["c", 20],
      ["d", 80],
    ]);
    answers.asked();
    expect(dropped).toEqual(["d", "b"]);
    vi.advanceTimersByTime(1_000);
    expect(dropped).toEqual(["d", "b"]);
  });

  it("are counted ten times a second while requests are open, and not otherwise", () => {
    const answers = start();
    open.set("a", 0);
    for (let n = 0; n < 50; n++) answers.asked();
    expect(looks).toBe(1);
    vi.advanceTimersByTime(1_000);
    expect(looks).toBe(1 + 10);
    open.set("a", MAX_BYTES + 1);
    vi.advanceTimersByTime(100);
    expect(dropped).toEqual(["a"]);
    vi.advanceTimersByTime(100);
    const before = looks;
    vi.advanceTimersByTime(1_000);
    expect([looks, vi.getTimerCount()]).toEqual([before, 0]);
  });

  it("are counted within a turn in which no timer comes", () => {
    const answers = start();
    open.set("a", 0);
    answers.asked();
    open.set("a", MAX_BYTES + 1);
    const now = vi.spyOn(performance, "now").mockReturnValue(performance.now() + 150);
    answers.asked();
    expect(dropped).toEqual(["a"]);
    now.mockRestore();
  });
});
