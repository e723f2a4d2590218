import { cpus, loadavg } from "node:os";
import { setTimeout as delay } from "node:timers/promises";

import { type Cluster, clusterSettings, startCluster } from "../../cluster/index.js";
import { withDashboard } from "../../cluster/settings.js";
import { thisMachine, writeJsonReport } from "../../terminal/json-report.js";
import { stepView } from "../../terminal/step-view.js";
import { UserError } from "../../terminal/user-error.js";
import { ensureTools } from "../../tools/index.js";
import { type PartTimes, partTimes } from "../part-times.js";
import { hasSettled } from "./idle.js";
import { ratesOf, type RestReport, restTable, totalOf } from "./report.js";

const PORT_OFFSET = 23_000;
const WINDOW_MS = 5_000;
/** Kafka's and MinIO's own first rounds come within this. */
const FIRST_MS = 30_000;
const SETTLED_LIMIT_MS = 180_000;

export interface RestOptions {
  /** How long is measured. */
  readonly seconds: number;
}

/**
 * What the whole native cluster with its web app takes of the processor when nothing is sent. Writes
 * `reports/bench-rest.json`.
 *
 * @throws {UserError} when it does not come to rest, or a part dies or is replaced meanwhile
 */
export async function benchRest({ seconds }: RestOptions, signal: AbortSignal): Promise<void> {
  const step = stepView();
  await step("tools", (onProgress) => ensureTools({ onProgress }));
  const events: string[] = [];
  const cluster = await startCluster(
    clusterSettings({ name: "bench-rest", portOffset: PORT_OFFSET, application: withDashboard() }),
    // Watched over as it is for users.
    { step, restart: true, fresh: true, signal, onEvent: ({ kind, part }) => events.push(`${part} ${kind}`) },
  );
  try {
    const startedMs = performance.now();
    await step("coming to rest", (onProgress) => settle(cluster, onProgress, signal));
    const sinceStart = Math.round((performance.now() - startedMs) / 1000);
    const report = await step(`${seconds} s at rest`, () => measure(cluster, seconds, sinceStart, signal));
    if (events.length > 0) throw new UserError(`it was not at rest: ${events.join(", ")}`);
    process.stdout.write(`\n${restTable(report)}`);
    writeJsonReport("reports/bench-rest.json", report);
  } finally {
    await cluster.stop();
  }
}

async function settle(cluster: Cluster, onProgress: (line: string) => void, signal: AbortSignal): Promise<void> {
  const rates: number[] = [];
  const beganMs = performance.now();
  let [atMs, before] = [beganMs, timesOf(cluster)];
  do {
    await delay(WINDOW_MS, undefined, { signal });
    const [now, after] = [performance.now(), timesOf(cluster)];
    const rate = totalOf(ratesOf(before, after, (now - atMs) / 1000));
    [atMs, before] = [now, after];
    if (now - beganMs >= FIRST_MS) rates.push(rate);
    onProgress(`${rate.toFixed(0)} ms a second`);
    if (now - beganMs > SETTLED_LIMIT_MS)
      throw new UserError(
        `the cluster did not come to rest in ${SETTLED_LIMIT_MS / 1000} s. Is the machine very busy?`,
      );
  } while (!hasSettled(rates));
}

async function measure(
  cluster: Cluster,
  seconds: number,
  sinceStart: number,
  signal: AbortSignal,
): Promise<RestReport> {
  const [beganMs, before, busyBefore, loadBefore] = [performance.now(), timesOf(cluster), busyMs(), loadavg()[0]!];
  await delay(seconds * 1000, undefined, { signal });
  const took = (performance.now() - beganMs) / 1000;
  const parts = ratesOf(before, timesOf(cluster), took);
  const total = totalOf(parts);
  return {
    machine: thisMachine(),
    seconds,
    sinceStart,
    parts,
    total,
    load: {
      average: [loadBefore, loadavg()[0]!],
      othersMsPerSecond: Math.max(0, Math.round((busyMs() - busyBefore) / took - total)),
    },
  };
}

/** This process is the supervisor, and does nothing else meanwhile. */
function timesOf(cluster: Cluster): PartTimes {
  const { user, system } = process.cpuUsage();
  return partTimes(cluster.settings).set("supervisor", (user + system) / 1e6);
}

/** Of all processors, since the machine was started. */
const busyMs = (): number =>
  cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
