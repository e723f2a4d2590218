import { setTimeout as delay } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import { clusterSettings } from "./settings.js";
import { waitForJob } from "./start-cluster.js";

const settings = clusterSettings({ name: "spec", parallelism: 2 });
const forEver = (_: number, signal?: AbortSignal): Promise<void> => delay(60_000, undefined, { signal });

describe("a job that is waited for", () => {
  it("is refused at once when it needs more slots than there are: it would be restarted endlessly", async () => {
    let stopped = false;
    const flink = {
      parallelism: () => Promise.resolve(3),
      waitForRunning: (limitMs: number, signal?: AbortSignal) =>
        forEver(limitMs, signal).finally(() => (stopped = true)),
    };
    await expect(waitForJob(flink, settings, undefined)).rejects.toThrow(
      /^the job of these data has a parallelism of 3, .*up --parallelism 3 --name spec;/,
    );
    // Nothing restarts the program that has failed.
    await expect.poll(() => stopped).toBe(true);
  });

  it.each([2, 1, "unreachable"] as const)("may run when its parallelism is %s", async (parallelism) => {
    await waitForJob(
      { parallelism: () => Promise.resolve(parallelism), waitForRunning: () => delay(20) },
      settings,
      undefined,
    );
  });

  it("is not waited for beyond its limit, nor once the wait is aborted", async () => {
    const flink = {
      parallelism: () => Promise.resolve(2),
      waitForRunning: () => Promise.reject(new Error("waited 120 s")),
    };
    await expect(waitForJob(flink, settings, undefined)).rejects.toThrow("waited 120 s");
    await expect(waitForJob({ ...flink, waitForRunning: forEver }, settings, AbortSignal.abort())).rejects.toThrow(
      /abort/,
    );
  });
});
