import { endpoints, flinkClient } from "../../cluster/index.js";
import { recorded } from "../../cluster/processes/managed-process.js";
import { type ClusterSettings, partsOf } from "../../cluster/settings.js";
import { poll } from "../../process/poll.js";
import { processUsage } from "../../process/process-usage.js";
import { recentCheckpoints } from "./checkpoints.js";
import type { JobHealth, StateFigures } from "./figures.js";

const METRIC_MS = 10_000;

/** What the pipeline keeps now. */
export async function stateFigures(settings: ClusterSettings): Promise<StateFigures> {
  const flink = flinkClient(settings);
  const pids = new Map(
    partsOf(settings).flatMap((part) => {
      const process = recorded(settings, part);
      return process === undefined ? [] : [[process.pid, part] as const];
    }),
  );
  const residentBytes: Record<string, number> = {};
  for (const { group, memoryBytes } of processUsage((_, group) => pids.has(group))) {
    const part = pids.get(group)!;
    residentBytes[part] = (residentBytes[part] ?? 0) + memoryBytes;
  }
  return {
    backend: await flink.stateBackend(),
    checkpoints: (await recentCheckpoints(endpoints(settings).flink)) ?? null,
    heapBytes: await flink.heapBytes(),
    residentBytes,
  };
}

/** What Flink says of the job that runs now. */
export async function jobHealth(settings: ClusterSettings, signal: AbortSignal): Promise<JobHealth> {
  const flink = flinkClient(settings);
  // Flink fetches a metric when it is first asked for, and answers the next time.
  const restarts = await poll(
    "Flink to count restarts",
    async () => [await flink.restarts()].filter((count) => count !== "unreachable").map((count) => ({ count }))[0],
    { timeoutMs: METRIC_MS, signal },
  ).then(
    ({ count }) => count,
    () => "unreachable" as const,
  );
  signal.throwIfAborted();
  const checkpoints = await flink.checkpoints();
  return checkpoints === "unreachable"
    ? { restarts, failedCheckpoints: checkpoints, completedCheckpoints: checkpoints }
    : { restarts, failedCheckpoints: checkpoints.failed, completedCheckpoints: checkpoints.completed };
}
