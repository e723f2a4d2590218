import { describe, expect, it } from "vitest";

import { poll } from "../../process/poll.js";
import { processUsage } from "../../process/process-usage.js";
import { keepMachineBusy } from "./busy-machine.js";

describe("a busy machine", () => {
  it("takes a share of the processors until it is stopped, and leaves nothing running", async () => {
    const busy = keepMachineBusy();
    const pids = busy.pids();
    expect(pids.length).toBeGreaterThan(0);
    await poll("the programs to take something", () => busy.share() > 0.05, { timeoutMs: 60_000 });
    await busy.stop();
    expect(processUsage((pid) => pids.includes(pid))).toEqual([]);
  });
});
