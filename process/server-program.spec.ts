import { afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";

import { fromEnvironment, runServer, stopOnSignal } from "./server-program.js";

const SCHEMA = z.object({
  HOST: z.string().default("127.0.0.1"),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8000),
});

describe("a server's environment", () => {
  it("has defaults, also for empty variables", () => {
    expect(fromEnvironment(SCHEMA, { PORT: "", HOST: " " })).toEqual({ HOST: "127.0.0.1", PORT: 8000 });
    expect(fromEnvironment(SCHEMA, { PORT: "9000" })).toEqual({ HOST: "127.0.0.1", PORT: 9000 });
  });

  it("is refused with the name of the variable", () => {
    expect(() => fromEnvironment(SCHEMA, { PORT: "eight" })).toThrow(/^PORT: /);
  });
});

describe("a server that cannot start", () => {
  afterEach(() => vi.restoreAllMocks());

  it("says why in one line, and ends the process", async () => {
    const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const ended = vi.spyOn(process, "exit").mockReturnValue(undefined as never);
    await runServer("the door", () => Promise.reject(new Error("no key")));
    expect(said).toHaveBeenCalledWith("error: the door cannot start: no key\n");
    expect(ended).toHaveBeenCalledWith(1);
  });
});

describe("a server that is told to stop", () => {
  afterEach(() => {
    vi.useRealTimers();
    for (const signal of ["SIGTERM", "SIGINT"]) process.removeAllListeners(signal);
  });

  it("stops once, however often it is told, and ends when it is done", async () => {
    const exit = vi.fn();
    let done: () => void = () => undefined;
    const stop = vi.fn(() => new Promise<void>((resolve) => (done = resolve)));
    stopOnSignal({ stop, limitMs: 60_000, exit });
    for (const signal of ["SIGTERM", "SIGINT", "SIGTERM"] as const) process.emit(signal);
    expect(stop).toHaveBeenCalledTimes(1);
    expect(exit).not.toHaveBeenCalled();
    done();
    await expect.poll(() => exit.mock.calls).toEqual([[0]]);
  });

  it.each([
    [undefined, 0],
    [() => undefined, 1],
  ])("ends when its time is up", (late, code) => {
    vi.useFakeTimers();
    const exit = vi.fn();
    stopOnSignal({ stop: () => new Promise(() => undefined), limitMs: 5_000, ...(late && { late }), exit });
    process.emit("SIGTERM");
    vi.advanceTimersByTime(4_999);
    expect(exit).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(exit.mock.calls).toEqual([[code]]);
  });
});
