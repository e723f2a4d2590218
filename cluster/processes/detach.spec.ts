import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";

import { clusterSettings, type ClusterSettings } from "../settings.js";
import { detach } from "./detach.js";
import { lockCluster } from "./lock.js";
import { logFile } from "./managed-process.js";

describe("a start in the background", () => {
  let settings: ClusterSettings;
  let pid: number | undefined;
  let log: MockInstance<typeof console.log>;
  beforeEach(() => {
    settings = { ...clusterSettings({ name: "spec" }), dataDir: mkdtempSync(join(tmpdir(), "fraud-detach-")) };
    pid = undefined;
    log = vi.spyOn(console, "log").mockReturnValue();
    vi.spyOn(process.stderr, "write").mockReturnValue(true);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    if (pid !== undefined) process.kill(pid);
    rmSync(settings.dataDir, { recursive: true, force: true });
  });
  const start = (script: string) => detach(settings, [], { command: process.execPath, args: ["-e", script] });
  const printed = (): string => log.mock.calls.flat().join();

  it("has succeeded when the process says that everything runs, which goes on without this one", async () => {
    expect(await start("console.log(process.pid); process.send({ ready: true }); setInterval(() => {}, 1000)")).toBe(0);
    pid = Number(readFileSync(logFile(settings, "supervisor"), "utf8"));
    expect(printed()).toMatch(/^It goes on in the background .* down --name spec$/);
    expect(process.kill(pid, 0)).toBe(true);
  });

  it.each([
    [
      "is refused for the reason that it gives",
      `process.stderr.write("error: no\\n"); process.send({ refused: "the port is taken" }); process.exitCode = 1`,
      /^the port is taken$/,
    ],
    [
      "is refused when it dies without a word, with the last line of its log",
      `process.stderr.write("starting\\nerror: no memory\\n"); process.exitCode = 7`,
      /^it ended while it was started \(exit code 7\): no memory$/,
    ],
    [
      "is refused when it is killed",
      `process.kill(process.pid, "SIGKILL")`,
      /^it ended while it was started \(killed by SIGKILL\)/,
    ],
    ["is refused when it ends as if all were well", "", /^it ended while it was started \(exit code 0\)/],
  ])("%s", async (_, script, reason) => {
    await expect(start(script)).rejects.toThrow(reason);
    expect(printed()).toBe("");
  });

  it("is refused while such a cluster runs, whose log stays where it is", async () => {
    const unlock = lockCluster(settings);
    try {
      await expect(start("process.send({ ready: true })")).rejects.toThrow(
        new RegExp(`^the cluster "spec" is already running \\(process ${process.pid}\\)`),
      );
      expect(() => readFileSync(logFile(settings, "supervisor"))).toThrow(/ENOENT/);
    } finally {
      unlock();
    }
  });
});
