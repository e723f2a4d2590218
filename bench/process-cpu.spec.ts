import { afterEach, describe, expect, it } from "vitest";

import { poll } from "../process/poll.js";
import { type StartedProgram, startProgram } from "../process/run-command.js";
import { cpuSeconds } from "./process-cpu.js";

describe("a process' processor time", () => {
  let busy: StartedProgram | undefined;
  afterEach(async () => {
    busy?.kill("SIGKILL");
    await busy?.finished;
  });

  const ownSeconds = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };

  it("has that of its children, while they run and when they have ended", async () => {
    const before = cpuSeconds(process.pid) - ownSeconds();
    busy = startProgram(process.execPath, ["-e", "for (;;);"]);
    const ofChildren = (): number => cpuSeconds(process.pid) - ownSeconds() - before;
    await poll("a child's time to be counted", () => ofChildren() > 0.3, { timeoutMs: 60_000 });
    busy.kill("SIGKILL");
    await busy.finished;
    expect(ofChildren()).toBeGreaterThan(0.3);
  });
});
