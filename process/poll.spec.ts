import { describe, expect, it } from "vitest";

import { poll } from "./poll.js";

describe("poll", () => {
  it("returns the first truthy result", async () => {
    let n = 0;
    expect(await poll("three", () => ++n === 3 && n, { timeoutMs: 1000, intervalMs: 1 })).toBe(3);
  });

  it("says what was awaited, and why the last attempt failed", async () => {
    await expect(poll("rain", () => false, { timeoutMs: 0, intervalMs: 1 })).rejects.toThrow("waited 0 s for rain");
    await expect(
      poll("rain", () => Promise.reject(new Error("sunny")), { timeoutMs: 0, intervalMs: 1 }),
    ).rejects.toThrow("waited 0 s for rain; the last attempt: sunny");
  });

  it("stops when aborted", async () => {
    await expect(
      poll("rain", () => false, { timeoutMs: 10_000, intervalMs: 1, signal: AbortSignal.abort(new Error("enough")) }),
    ).rejects.toThrow("enough");
  });
});
