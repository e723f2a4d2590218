import { setTimeout as delay } from "node:timers/promises";

import { endpoints, flinkClient, type RunningCluster } from "../../cluster/index.js";
import type { Part } from "../../cluster/settings.js";
import { INTAKE_GROUP, PIPELINE_GROUP, TOPICS } from "../../contract/topics.js";
import { kafkaClient } from "../../kafka/client.js";
import { LagWatch } from "../../kafka/group-lag.js";
import { connectionsTo, processUsage } from "../../process/process-usage.js";

const INTERVAL_MS = 1_000;
const LAG_LIMIT_MS = 5_000;
/** How often the parts' process ids are asked for: that also asks each part how it is. */
const PARTS_MS = 5_000;

/** The parts whose memory is sampled: those where waiting work may pile up. */
export const SAMPLED_PARTS = [
  "taskmanager",
  "jobmanager",
  "functions",
  "intake",
  "kafka",
] as const satisfies readonly Part[];
export type SampledPart = (typeof SAMPLED_PARTS)[number];

/** The state of the cluster at one moment. A figure that could not be had is absent. */
export interface Sample {
  /** From the beginning of the load, in ms. */
  readonly atMs: number;
  /**
   * Offsets of `decisions` that a committed reader can read: decisions, and a marker for each partition, subtask and
   * checkpoint.
   */
  readonly decided?: number;
  /** Transactions and labels that Kafka's door has not taken yet. */
  readonly beforeDoor?: number;
  /** Transactions and labels between the intake and the last checkpoint. */
  readonly beforeJob?: number;
  /** Restarts of the job, as counted by its JobManager. */
  readonly restarts?: number;
  readonly checkpoints?: {
    readonly completed: number;
    readonly failed: number;
    readonly lastMs?: number;
    readonly lastBytes?: number;
  };
  /** How much of the TaskManager's heap is in use, including garbage. */
  readonly heapBytes?: number;
  /** Resident memory, without mapped files. */
  readonly memoryBytes: Readonly<Partial<Record<SampledPart, number>>>;
  /** Processor time so far, in seconds. */
  readonly cpuSeconds: Readonly<Partial<Record<SampledPart, number>>>;
  /** Connections to the function server. */
  readonly connections?: number;
}

/** Looks at a cluster once a second until it is stopped. */
export class Sampler {
  readonly samples: Sample[] = [];
  readonly #cluster: RunningCluster;
  readonly #startedAtMs: number;
  readonly #flink;
  readonly #admin;
  readonly #lag: LagWatch;
  readonly #end = new AbortController();
  #connected = false;
  #pids: ReadonlyMap<number, SampledPart> = new Map();
  #pidsAtMs = -Infinity;
  #running: Promise<void> | undefined;

  /** @param startedAtMs - the beginning of the load, ms since 1970 */
  constructor(cluster: RunningCluster, startedAtMs: number) {
    const { kafka } = endpoints(cluster.settings);
    this.#cluster = cluster;
    this.#startedAtMs = startedAtMs;
    this.#flink = flinkClient(cluster.settings);
    this.#admin = kafkaClient(kafka, "fraud-sampler", { patient: false }).admin();
    this.#lag = new LagWatch(
      kafka,
      [
        { group: INTAKE_GROUP, topics: [TOPICS.transactions.name, TOPICS.labels.name] },
        { group: PIPELINE_GROUP, topics: [TOPICS.transactionsValid.name, TOPICS.labelsValid.name] },
      ],
      LAG_LIMIT_MS,
    );
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#running;
    await Promise.allSettled([this.#admin.disconnect(), this.#lag.close()]);
  }

  /** The newest figures. */
  get last(): Sample | undefined {
    return this.samples.at(-1);
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      const beganMs = Date.now();
      this.samples.push(await this.#sample());
      await delay(Math.max(0, beganMs + INTERVAL_MS - Date.now()), undefined, { signal }).catch(() => undefined);
    }
  }

  async #sample(): Promise<Sample> {
    const atMs = Date.now() - this.#startedAtMs;
    this.#findParts();
    const [decided, lags, restarts, checkpoints, heap] = await Promise.all([
      this.#decided(),
      this.#lag.now(),
      this.#flink.restarts(),
      this.#flink.checkpoints(),
      this.#flink.heapBytes(),
    ]);
    const lagOf = (group: string): number | undefined => {
      const own = lags.filter((lag) => lag.group === group);
      return own.length === 0 ? undefined : Number(own.reduce((sum, { offsets }) => sum + offsets, 0n));
    };
    const beforeDoor = lagOf(INTAKE_GROUP);
    const beforeJob = lagOf(PIPELINE_GROUP);
    const connections = connectionsTo(this.#cluster.settings.ports.functions);
    return {
      atMs,
      ...(decided !== undefined && { decided }),
      ...(beforeDoor !== undefined && { beforeDoor }),
      ...(beforeJob !== undefined && { beforeJob }),
      ...(restarts !== "unreachable" && { restarts }),
      ...(checkpoints !== "unreachable" && {
        checkpoints: {
          completed: checkpoints.completed,
          failed: checkpoints.failed,
          ...(checkpoints.last && { lastMs: checkpoints.last.durationMs, lastBytes: checkpoints.last.bytes }),
        },
      }),
      ...(heap !== "unreachable" && { heapBytes: heap }),
      ...this.#usage(),
      ...(connections !== undefined && { connections }),
    };
  }

  /**
   * Asks for process ids now and then, separately from the samples: a part that does not answer must not delay them.
   */
  #findParts(): void {
    if (Date.now() < this.#pidsAtMs + PARTS_MS) return;
    this.#pidsAtMs = Date.now();
    this.#cluster.status().then(
      ({ parts }) =>
        (this.#pids = new Map(
          parts.flatMap(({ part, pid }) => (pid !== undefined && isSampled(part) ? [[pid, part] as const] : [])),
        )),
      () => undefined,
    );
  }

  #usage(): Pick<Sample, "memoryBytes" | "cpuSeconds"> {
    const pids = this.#pids;
    const memoryBytes: Partial<Record<SampledPart, number>> = {};
    const cpuSeconds: Partial<Record<SampledPart, number>> = {};
    // Each part leads its own group: what it has started is its too.
    for (const { group, ...used } of processUsage((_, group) => pids.has(group))) {
      const part = pids.get(group)!;
      memoryBytes[part] = (memoryBytes[part] ?? 0) + used.memoryBytes;
      cpuSeconds[part] = (cpuSeconds[part] ?? 0) + used.cpuSeconds;
    }
    return { memoryBytes, cpuSeconds };
  }

  async #decided(): Promise<number | undefined> {
    try {
      if (!this.#connected) await this.#admin.connect();
      this.#connected = true;
      const ends = await this.#admin.fetchTopicOffsets(TOPICS.decisions.name);
      return ends.reduce((sum, { high }) => sum + Number(high), 0);
    } catch {
      return undefined;
    }
  }
}

const isSampled = (part: Part): part is SampledPart => SAMPLED_PARTS.some((one) => one === part);
