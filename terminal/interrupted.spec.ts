import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { poll } from "../process/poll.js";
import { REPOSITORY_ROOT } from "../process/repository-root.js";
import { startProgram } from "../process/run-command.js";

const LIMIT = { timeoutMs: 60_000, intervalMs: 20 };
let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "fraud-interrupted-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Says its process id, and stops in order, talking. @param stopped - a file that it makes at its end */
const program = (stopped: string): string => `
  const { interrupted } = await import(${JSON.stringify(pathToFileURL(join(REPOSITORY_ROOT, "terminal/interrupted.ts")).href)});
  const { writeFileSync } = await import("node:fs");
  const { wait } = interrupted();
  const going = setInterval(() => {}, 1000);
  console.log(process.pid);
  await wait;
  for (let n = 0; n < 10; n++) {
    console.log("stopping");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  writeFileSync(${JSON.stringify(stopped)}, "");
  clearInterval(going);`;

describe("a program that is interrupted", () => {
  it.each([
    { signal: "SIGINT", reader: "cat" },
    { signal: "SIGTERM", reader: "cat" },
    // As with a terminal that is closed: nobody hears what it says from then on, and it may be told twice.
    { signal: "SIGHUP", reader: "head -n 1" },
  ] as const)("by $signal stops in order", async ({ signal, reader }) => {
    const stopped = join(folder, "stopped");
    const started = startProgram("sh", [
      "-c",
      `"$0" --import tsx --input-type=module -e "$1" | ${reader}`,
      process.execPath,
      program(stopped),
    ]);
    const pid = await poll("it to be ready", () => Number(/^\d+\n/.exec(started.output())?.[0]), LIMIT);
    process.kill(pid, signal);
    if (signal === "SIGHUP") process.kill(pid, signal);
    await poll("it to stop in order", () => existsSync(stopped), LIMIT);
    expect((await started.finished).code).toBe(0);
  });
});
