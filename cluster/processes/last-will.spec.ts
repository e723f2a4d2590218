import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { poll } from "../../process/poll.js";
import { isAlive, type ProcessIdentity, signalProcess } from "../../process/process-identity.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { type StartedProgram, startProgram } from "../../process/run-command.js";
import { clusterSettings, type ClusterSettings } from "../settings.js";
import { logFile, recorded } from "./managed-process.js";

const LIMIT = { timeoutMs: 60_000, intervalMs: 50 };
const module = (path: string): string => JSON.stringify(pathToFileURL(join(REPOSITORY_ROOT, path)).href);

/** A supervisor of two parts, one of which does not hear SIGTERM because it was stopped. */
const SUPERVISOR = (settings: ClusterSettings): string => `
  const { start } = await import(${module("cluster/processes/managed-process.ts")});
  const { lockCluster } = await import(${module("cluster/processes/lock.ts")});
  const { makeLastWill } = await import(${module("cluster/processes/last-will.ts")});
  const settings = ${JSON.stringify(settings)};
  const unlock = lockCluster(settings);
  const takeBack = makeLastWill(settings);
  for (const part of ["kafka", "intake"])
    await start(settings, part, process.execPath, ["-e", "setInterval(() => {}, 1000)"], process.env);
  process.on("SIGTERM", () => { takeBack(); unlock(); process.exit(0); });
  console.log("ready");
  setInterval(() => {}, 1000);`;

describe("the parts of a supervisor", () => {
  let settings: ClusterSettings;
  let supervisor: StartedProgram;
  let parts: readonly ProcessIdentity[];

  beforeEach(async () => {
    settings = { ...clusterSettings({ name: "spec" }), dataDir: mkdtempSync(join(tmpdir(), "fraud-will-")) };
    supervisor = startProgram(process.execPath, ["--import", "tsx", "--input-type=module", "-e", SUPERVISOR(settings)]);
    supervisor.finished.catch(() => undefined);
    await poll("it to be ready", () => supervisor.output().includes("ready"), LIMIT);
    parts = [recorded(settings, "kafka")!, recorded(settings, "intake")!];
  });
  afterEach(() => {
    supervisor.kill("SIGKILL");
    for (const part of parts) signalProcess(part, "SIGKILL");
    rmSync(settings.dataDir, { recursive: true, force: true });
  });

  it("end with it when it is killed, stopped ones too", async () => {
    signalProcess(parts[0]!, "SIGSTOP");
    expect(parts.map(isAlive)).toEqual([true, true]);
    supervisor.kill("SIGKILL");
    await poll("the parts to end", () => !parts.some(isAlive), LIMIT);
    expect(readFileSync(logFile(settings, "supervisor"), "utf8")).toBe(
      "the supervisor is gone: stopping intake, kafka\n",
    );
  });

  it("are left alone when it has taken its will back", async () => {
    supervisor.kill("SIGTERM");
    await supervisor.finished;
    // Whoever was to stop them has ended, or would have said so by the time that a process has started.
    const other = startProgram(process.execPath, ["--import", "tsx", "-e", "0"]);
    await other.finished;
    expect(parts.map(isAlive)).toEqual([true, true]);
    expect(readFileSync(logFile(settings, "supervisor"), "utf8")).toBe("");
  });
});
