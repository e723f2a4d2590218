import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

import { afterEach, describe, expect, it } from "vitest";

import { poll } from "./poll.js";
import { activityOf } from "./process-activity.js";

const LIMIT = { timeoutMs: 60_000, intervalMs: 20 };
let child: ChildProcess | undefined;
afterEach(() => {
  child?.kill("SIGKILL");
  child = undefined;
});

/** A program that leads its own group, as a part does. */
async function started(script: string): Promise<number> {
  child = spawn(process.execPath, ["-e", script], { detached: true, stdio: "ignore" });
  await once(child, "spawn");
  return child.pid!;
}

describe("what a group of processes does", () => {
  it("is nothing while it waits", async () => {
    const pid = await started("setInterval(() => {}, 1e6)");
    await poll("it to rest", () => activityOf(pid)?.working === false, LIMIT);
    expect(activityOf(pid)).toMatchObject({ working: false, stopped: false });
  });

  it("is work while it computes, whether it has a processor or waits for one", async () => {
    const pid = await started("for (;;);");
    await poll("it to have used a processor", () => activityOf(pid)!.cpuSeconds > 0.2, LIMIT);
    expect(activityOf(pid)).toMatchObject({ working: true, stopped: false });
  });

  it("is that one of them was stopped, the first of them or one that it has started", async () => {
    const pid = await started(
      `const { pid } = require("node:child_process").spawn(process.execPath, ["-e", "process.kill(process.pid, 'SIGSTOP')"]); setInterval(() => {}, 1e6)`,
    );
    await poll("its child to be stopped", () => activityOf(pid)?.stopped, LIMIT);
    process.kill(-pid, "SIGKILL");
    await once(child!, "exit");
    await poll("both to be gone", () => activityOf(pid) === undefined, LIMIT);

    const other = await started("for (;;);");
    process.kill(other, "SIGSTOP");
    await poll("it to be stopped", () => activityOf(other)?.stopped, LIMIT);
    expect(activityOf(other)).toMatchObject({ working: false, stopped: true });
  });
});
