import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import type { FlinkClient } from "../flink/flink.js";
import { poll } from "../process/poll.js";
import { settled } from "../process/settled.js";
import type { Step } from "../terminal/steps.js";
import { UserError } from "../terminal/user-error.js";
import { makeClassArchive, withoutClassArchive } from "../tools/class-archives.js";
import { requireUsable } from "../tools/file-names.js";
import { Cluster, type ClusterEvent } from "./cluster.js";
import { flinkClient } from "./flink-client.js";
import { formatKafkaStorage } from "./kafka-storage.js";
import { makeFlinkKey } from "./parts/flink-key.js";
import { partProgram } from "./parts/index.js";
import { requireFreePorts } from "./parts/ports.js";
import { makeLastWill } from "./processes/last-will.js";
import { lockCluster } from "./processes/lock.js";
import { lastLines, recorded, rotateLog, stopRecorded } from "./processes/managed-process.js";
import { type ClusterSettings, isServer, partsOf, type Server } from "./settings.js";
import { zookeeperHasPast } from "./state/guard.js";
import { createBucket } from "./state/object-store.js";
import { otherParallelism, stateAtStart } from "./state/state-at-start.js";
import { createTopics } from "./topics.js";
import { forgetReplacements } from "./watchdog/replacements.js";

const JOB_LIMIT_MS = 300_000;
/** These parts read topics, which must exist first. */
const NEED_TOPICS: ReadonlySet<Server> = new Set(["intake", "dashboard"]);

export interface StartOptions {
  /** Shows what goes on. */
  readonly step: Step;
  /** Start a part again when it dies or hangs. */
  readonly restart: boolean;
  /** Forget all topics and state of earlier runs. */
  readonly fresh?: boolean;
  /** Go on from the newest complete checkpoint or savepoint of the object store, whatever ZooKeeper points to. */
  readonly fromLatest?: boolean;
  readonly onEvent?: (event: ClusterEvent) => void;
  /** Gives up starting; what was started is stopped. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Starts every part in order, in parallel where possible, and resolves when the Flink job runs. Goes on where the last
 * run under the same name ended. Parts that a killed run has left behind are stopped first.
 *
 * The tools must be installed: see `ensureTools`.
 *
 * @throws {UserError} when the folder's name cannot be used, ports are taken, another process runs this cluster, its
 *   stores don't belong together, its state is on another backend or its job of another parallelism or at other ports
 *   than what is asked for, or a part does not come up. Then nothing is left running
 */
export async function startCluster(settings: ClusterSettings, options: StartOptions): Promise<Cluster> {
  const { step, restart, fresh = false, fromLatest = false, onEvent = () => undefined, signal } = options;
  requireUsable(settings.dataDir, "a cluster's data", "Clone the repository into another one.");
  const unlock = lockCluster(settings);
  const takeBack = makeLastWill(settings);
  const cluster = new Cluster(settings, {
    restart,
    onEvent,
    unlock: () => {
      takeBack();
      unlock();
    },
  });
  try {
    await stopRecorded(settings);
    if (fresh) {
      // One of these holds the lock; the other may hold this process' own output.
      const kept = new Set(["pids", "logs"]);
      for (const entry of readdirSync(settings.dataDir))
        if (!kept.has(entry)) rmSync(join(settings.dataDir, entry), { recursive: true, force: true });
    }
    await requireFreePorts(settings);
    for (const part of partsOf(settings)) rotateLog(settings, part);
    forgetReplacements(settings);
    await startParts(cluster, { step, fromLatest, signal });
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

async function startParts(
  cluster: Cluster,
  { step, fromLatest, signal }: { step: Step; fromLatest: boolean; signal: AbortSignal | undefined },
): Promise<void> {
  const { settings } = cluster;
  const { ports } = settings;
  const pointer = zookeeperHasPast(settings);
  const servers = partsOf(settings).filter(isServer);
  const startServer = (server: Server): Promise<void> =>
    step(`${server} on port ${ports[server]}`, () => cluster.startPart(server, signal));
  const starting = [
    makeFlinkKey(settings.dataDir),
    step(`ZooKeeper on port ${ports.zookeeper}`, () => cluster.startPart("zookeeper", signal)),
    step(`MinIO on port ${ports.minio}, with its bucket`, async () => {
      await cluster.startPart("minio", signal);
      await createBucket(settings);
    }),
    ...servers.filter((server) => !NEED_TOPICS.has(server)).map(startServer),
  ];
  const topics = step(`Kafka on port ${ports.kafka}, with its topics`, async (progress) => {
    partProgram("kafka", settings).prepare();
    progress("its storage");
    await formatKafkaStorage(settings);
    progress("the broker");
    await cluster.startPart("kafka", signal);
    progress("its topics");
    return await createTopics(settings);
  });
  const createdTopics = (await settled(topics, ...starting))[0];
  cluster.adoptState(await stateAtStart(settings, { pointer, createdTopics, fromLatest }));
  await settled(
    ...servers.filter((server) => NEED_TOPICS.has(server)).map(startServer),
    step(`Flink JobManager, web interface on port ${ports.flinkRest}`, () => cluster.startPart("jobmanager", signal)),
    step("Flink TaskManager", () => cluster.startPart("taskmanager", signal)),
  );
  await step("Flink job running", async (progress) => {
    const flink = flinkClient(settings);
    const timer = setInterval(() => void flink.jobState().then(progress), 2_000);
    try {
      await Promise.race([waitForJob(flink, cluster.settings, signal), cluster.jobManagerLost]);
      await cluster.keepJob();
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof UserError) throw error;
      throw new UserError(
        `${error instanceof Error ? error.message : String(error)}. The end of the JobManager's log:\n${lastLines(settings, "jobmanager").join("\n")}`,
        { cause: error },
      );
    } finally {
      clearInterval(timer);
    }
  });
  void cluster.leaveSavepoint();
  void cluster.endAbandonedTransactions();
  const missing = withoutClassArchive(partsOf(settings));
  if (missing.length === 0) return;
  await step("archives of Java's classes, once: later starts and recoveries are quicker", async (progress) => {
    for (const part of missing) {
      const process = recorded(settings, part);
      if (process !== undefined) await makeClassArchive(part, { pid: process.pid, folder: settings.dataDir }, progress);
    }
  });
}

/**
 * Waits until the job runs.
 *
 * @throws {UserError} as soon as it is clear that it never will, because it needs more slots than there are: possible
 *   for a job from before its parallelism was recorded
 * @throws Error when the limit is over
 */
export async function waitForJob(
  flink: Pick<FlinkClient, "parallelism" | "waitForRunning">,
  settings: ClusterSettings,
  signal: AbortSignal | undefined,
): Promise<void> {
  const over = new AbortController();
  const tooFew = poll(
    "a job that needs more slots",
    async () => {
      const parallelism = await flink.parallelism();
      return parallelism !== "unreachable" && parallelism > settings.parallelism && parallelism;
    },
    { timeoutMs: JOB_LIMIT_MS, intervalMs: 500, signal: over.signal },
  ).then(
    (parallelism) => Promise.reject(new UserError(otherParallelism(settings, parallelism))),
    // It runs, or the limit has passed, which the other one reports.
    () => new Promise<never>(() => undefined),
  );
  try {
    await Promise.race([
      flink.waitForRunning(JOB_LIMIT_MS, signal === undefined ? over.signal : AbortSignal.any([signal, over.signal])),
      tooFew,
    ]);
  } finally {
    over.abort();
  }
}
