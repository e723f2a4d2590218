import { rmSync, statfsSync } from "node:fs";

import type { FlinkClient, StateBackend } from "../flink/flink.js";
import { flinkClient } from "./flink-client.js";
import { healthOf } from "./processes/health.js";
import { recorded, stopProcess, stopRecorded } from "./processes/managed-process.js";
import { type ClusterSettings, type Part, PARTS, partsOf } from "./settings.js";
import { replacedParts, type Replacements } from "./watchdog/replacements.js";

/** How one part is at the moment. */
export interface PartStatus {
  readonly part: Part;
  /** Process id; `undefined` when it does not run. */
  readonly pid: number | undefined;
  readonly healthy: boolean;
  /** Why it is not healthy, when it says so itself. */
  readonly cause?: string;
  /** That processes of it hung and were replaced since the cluster was started. */
  readonly replaced?: Replacements;
}

/** The job's state, as Flink holds it. */
export interface StateStatus {
  readonly backend: StateBackend;
  /** The size of the newest checkpoint; with RocksDB's increments, what it added. `undefined` before the first. */
  readonly checkpointBytes: number | undefined;
}

/** How much of a disk is left. */
export interface DiskStatus {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

export interface ClusterStatus {
  readonly parts: readonly PartStatus[];
  /** The process that supervises the parts; `undefined` after it was killed. */
  readonly supervisorPid: number | undefined;
  /** Flink's word for the job's state, or `unreachable`. */
  readonly job: string;
  /** What the job works on; `undefined` when that is not known. */
  readonly state: StateStatus | undefined;
  /** The disk of the data folder; `undefined` when that is not there, or in containers. */
  readonly disk?: DiskStatus | undefined;
  /** Every part of the pipeline answers and the job runs. The dashboard is not one of them: it only watches. */
  readonly running: boolean;
}

/** Looks at a cluster, whatever process has started it. */
export async function clusterStatus(settings: ClusterSettings): Promise<ClusterStatus> {
  const replaced = replacedParts(settings);
  const parts = await Promise.all(
    partsOf(settings).map(async (part): Promise<PartStatus> => {
      const pid = recorded(settings, part)?.pid;
      // Without a process of ours, whatever answers at its port is another program.
      const { healthy, cause } =
        pid === undefined ? { healthy: false, cause: undefined } : await healthOf(part, settings);
      return {
        part,
        pid,
        healthy,
        ...(cause !== undefined && { cause }),
        ...(replaced[part] !== undefined && { replaced: replaced[part] }),
      };
    }),
  );
  const flink = parts.some(({ part, healthy }) => part === "jobmanager" && healthy) ? flinkClient(settings) : undefined;
  const job = (await flink?.jobState()) ?? "unreachable";
  return {
    parts,
    supervisorPid: recorded(settings, "supervisor")?.pid,
    job,
    state: flink && (await stateStatus(flink)),
    disk: diskOf(settings.dataDir),
    running: job === "RUNNING" && parts.every(({ part, healthy }) => healthy || part === "dashboard"),
  };
}

function diskOf(folder: string): DiskStatus | undefined {
  try {
    const { blocks, bavail, bsize } = statfsSync(folder);
    return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
  } catch {
    return undefined;
  }
}

/** Asks Flink what its job works on. */
export async function stateStatus(flink: FlinkClient): Promise<StateStatus | undefined> {
  const [backend, checkpoints] = await Promise.all([flink.stateBackend(), flink.checkpoints()]);
  if (backend === "unreachable" || checkpoints === "unreachable") return undefined;
  return { backend, checkpointBytes: checkpoints.last?.bytes };
}

/**
 * Stops a cluster, whatever process has started it, and with `wipe` deletes its data.
 *
 * @returns what was running
 */
export async function stopCluster(
  settings: ClusterSettings,
  { wipe }: { wipe: boolean },
): Promise<{ supervisor: boolean; parts: readonly Part[] }> {
  const running = PARTS.filter((part) => recorded(settings, part) !== undefined);
  const supervisor = recorded(settings, "supervisor");
  // It stops the parts in order, and would restart what is stopped behind its back.
  if (supervisor !== undefined && supervisor.pid !== process.pid)
    await stopProcess(supervisor, "the supervisor", SUPERVISOR_LIMIT_MS);
  await stopRecorded(settings);
  if (wipe) rmSync(settings.dataDir, { recursive: true, force: true });
  return { supervisor: supervisor !== undefined, parts: running };
}

const SUPERVISOR_LIMIT_MS = 40_000;
