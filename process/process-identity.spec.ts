import { spawn } from "node:child_process";
import { once } from "node:events";

import { describe, expect, it } from "vitest";

import { identify, isAlive, signalProcess } from "./process-identity.js";

describe("a process identity", () => {
  it("tells this process from none and from another that had its id before", () => {
    const own = identify(process.pid)!;
    expect(isAlive(own)).toBe(true);
    expect(isAlive({ ...own, started: "1" })).toBe(false);
    expect(identify(2 ** 22 + 1)).toBeUndefined();
  });

  it.runIf(process.platform === "linux")(
    "tells it from one that had its id, at the same moment, when the machine was started before",
    () => {
      const own = identify(process.pid)!;
      const [moment, start] = own.started.split(" ");
      expect(start).toMatch(/^[0-9a-f-]{36}$/);
      expect(isAlive({ ...own, started: `${moment} ${"0".repeat(36)}` })).toBe(false);
    },
  );

  it("signals only the process that it names", async () => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    await once(child, "spawn");
    const identity = identify(child.pid!)!;
    expect(signalProcess({ ...identity, started: "1" }, "SIGKILL")).toBe(false);
    expect(isAlive(identity)).toBe(true);
    const gone = once(child, "exit");
    expect(signalProcess(identity, "SIGKILL")).toBe(true);
    await gone;
    expect(signalProcess(identity, "SIGKILL")).toBe(false);
  });
});
