import { getPriority, setPriority } from "node:os";

import { afterEach, describe, expect, it, vi } from "vitest";

import { aheadOfOthers, behindOthers } from "./priority.js";

vi.mock("node:os", async (original) => ({ ...(await original<object>()), getPriority: vi.fn(), setPriority: vi.fn() }));

/** As a system treats a user without root's rights: they may step back, but not come forward again. */
function unprivileged(start: number): () => number {
  let niceness = start;
  vi.mocked(getPriority).mockImplementation(() => niceness);
  vi.mocked(setPriority).mockImplementation((...args: number[]) => {
    const next = args.at(-1)!;
    if (next < niceness) throw new Error("EACCES: permission denied, uv_os_setpriority");
    niceness = next;
  });
  return () => niceness;
}

afterEach(() => void vi.resetAllMocks());

describe("the place of this process among others", () => {
  it("is behind them, and stays as far behind as it was put by a user who may not change it", () => {
    const niceness = unprivileged(0);
    behindOthers(5);
    expect(niceness()).toBe(5);
    const nicer = unprivileged(10);
    behindOthers(5);
    expect(nicer()).toBe(10);
  });

  it("is no reason to fail where the system forbids every change", () => {
    vi.mocked(getPriority).mockReturnValue(0);
    vi.mocked(setPriority).mockImplementation(() => {
      throw new Error("EPERM: operation not permitted, uv_os_setpriority");
    });
    expect(() => behindOthers(5)).not.toThrow();
    expect(() => aheadOfOthers()()).not.toThrow();
  });
});
