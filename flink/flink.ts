import { poll } from "../process/poll.js";
import { UserError } from "../terminal/user-error.js";

/** Where Flink keeps state while it runs: in RocksDB's files, or as objects on Java's heap (`hashmap`). */
export const STATE_BACKENDS = ["rocksdb", "hashmap"] as const;
export type StateBackend = (typeof STATE_BACKENDS)[number];

const REQUEST_MS = 2_000;
const SAVEPOINT_MS = 60_000;

/** A figure that is not available at the moment, as after a JobManager's death. */
export type Unreachable = "unreachable";

export interface CheckpointFigures {
  readonly completed: number;
  readonly failed: number;
  /** Of the newest completed checkpoint; `undefined` before the first. */
  readonly last: { readonly durationMs: number; readonly bytes: number } | undefined;
}

/**
 * Asks Flink's REST interface about the one job that a StateFun cluster runs. Never throws because Flink is away.
 */
export interface FlinkClient {
  /** `RUNNING` only when every task runs too; otherwise Flink's word for the job's state, or `DEPLOYING`. */
  jobState(): Promise<string>;
  /** The id of the job, or `unreachable`. */
  jobId(): Promise<string>;
  /** Restarts of the job under this JobManager; a new JobManager begins at 0. */
  restarts(): Promise<number | Unreachable>;
  checkpoints(): Promise<CheckpointFigures | Unreachable>;
  /** The state backend of the job. */
  stateBackend(): Promise<StateBackend | Unreachable>;
  completedCheckpoints(): Promise<number | Unreachable>;
  /** The job's parallelism, as Flink keeps it, whether or not there are that many slots. */
  parallelism(): Promise<number | Unreachable>;
  /** How much of the TaskManager's heap is in use, including garbage that has not been collected yet. */
  heapBytes(): Promise<number | Unreachable>;
  /**
   * Waits for this many more checkpoints: what was emitted before is then committed, and a late repeat would show.
   * Counts afresh under a new JobManager.
   *
   * @throws Error when the limit, in ms, is over
   */
  waitForCheckpoints(more: number, timeoutMs: number, signal?: AbortSignal): Promise<void>;
  /**
   * The checkpoint under way, if any: when it began, in ms since the epoch, and whether every task has acknowledged it.
   */
  pendingCheckpoint(): Promise<{ readonly triggeredAtMs: number; readonly acknowledged: boolean } | undefined>;
  /**
   * Cancels the job with a savepoint in Flink's canonical format, which every state backend reads: nothing is emitted
   * after it.
   *
   * @param folder - where the savepoint goes, its own folder
   * @param written - looks for it there: a JobManager ends with its job, perhaps before it was asked how the savepoint
   *   went
   * @returns where the savepoint is
   * @throws {UserError} when it fails
   */
  stopWithSavepoint(folder: string, written: () => Promise<string | undefined>, signal?: AbortSignal): Promise<string>;
  /**
   * What the job was restored from: the path of a checkpoint or savepoint.
   *
   * @throws Error when the limit, in ms, is over before it was restored
   */
  restoredFrom(timeoutMs: number, signal?: AbortSignal): Promise<string>;
  /** @throws Error when the limit, in ms, is over */
  waitForRunning(timeoutMs: number, signal?: AbortSignal): Promise<void>;
}

interface CheckpointHistory {
  readonly history: readonly {
    readonly status: string;
    readonly trigger_timestamp: number;
    readonly num_subtasks: number;
    readonly num_acknowledged_subtasks: number;
  }[];
}

/** By Flink's names. */
const BACKENDS: Readonly<Record<string, StateBackend>> = {
  HashMapStateBackend: "hashmap",
  EmbeddedRocksDBStateBackend: "rocksdb",
};

interface JobsAnswer {
  readonly jobs: readonly {
    readonly jid: string;
    readonly state: string;
    readonly "start-time": number;
    readonly tasks: Readonly<Record<string, number>>;
  }[];
}

/** @param base - the REST interface's URL, without a slash at the end */
export function flinkClientAt(base: string): FlinkClient {
  async function ask<T>(path: string, request: RequestInit = {}): Promise<T | undefined> {
    try {
      const response = await fetch(base + path, { ...request, signal: AbortSignal.timeout(REQUEST_MS) });
      return response.ok ? ((await response.json()) as T) : undefined;
    } catch {
      return undefined;
    }
  }
  const get = <T>(path: string): Promise<T | undefined> => ask<T>(path);
  const post = <T>(path: string, body: object): Promise<T | undefined> =>
    ask<T>(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

  let overview: Promise<JobsAnswer | undefined> | undefined;
  const newestJob = async () => {
    // Those who ask at the same moment share one question.
    overview ??= get<JobsAnswer>("/jobs/overview").finally(() => (overview = undefined));
    return (await overview)?.jobs.toSorted((a, b) => b["start-time"] - a["start-time"])[0];
  };

  const client: FlinkClient = {
    async jobState() {
      const job = await newestJob();
      if (job === undefined) return "unreachable";
      if (job.state === "RUNNING" && job.tasks["running"] !== job.tasks["total"]) return "DEPLOYING";
      return job.state;
    },
    async jobId() {
      return (await newestJob())?.jid ?? "unreachable";
    },
    async restarts() {
      const job = await newestJob();
      const metrics = job && (await get<{ id: string; value: string }[]>(`/jobs/${job.jid}/metrics?get=numRestarts`));
      const value = metrics?.find(({ id }) => id === "numRestarts")?.value;
      return value === undefined ? "unreachable" : Number(value);
    },
    async checkpoints() {
      const job = await newestJob();
      const answer =
        job &&
        (await get<{
          counts: { completed: number; failed: number };
          latest: { completed: { end_to_end_duration: number; state_size: number } | null };
        }>(`/jobs/${job.jid}/checkpoints`));
      if (answer === undefined) return "unreachable";
      const last = answer.latest.completed;
      return {
        completed: answer.counts.completed,
        failed: answer.counts.failed,
        last: last === null ? undefined : { durationMs: last.end_to_end_duration, bytes: last.state_size },
      };
    },
    async stateBackend() {
      const job = await newestJob();
      const name = job && (await get<{ state_backend: string }>(`/jobs/${job.jid}/checkpoints/config`))?.state_backend;
      return (name === undefined ? undefined : BACKENDS[name]) ?? "unreachable";
    },
    async completedCheckpoints() {
      const figures = await client.checkpoints();
      return figures === "unreachable" ? figures : figures.completed;
    },
    async parallelism() {
      const job = await newestJob();
      const vertices =
        job && (await get<{ vertices: readonly { parallelism: number }[] }>(`/jobs/${job.jid}`))?.vertices;
      return vertices === undefined || vertices.length === 0
        ? "unreachable"
        : Math.max(...vertices.map(({ parallelism }) => parallelism));
    },
    async heapBytes() {
      const id = (await get<{ taskmanagers: { id: string }[] }>("/taskmanagers"))?.taskmanagers[0]?.id;
      const metrics =
        id === undefined
          ? undefined
          : await get<{ value: string }[]>(
              `/taskmanagers/${encodeURIComponent(id)}/metrics?get=Status.JVM.Memory.Heap.Used`,
            );
      const value = metrics?.[0]?.value;
      return value === undefined ? "unreachable" : Number(value);
    },
    async waitForCheckpoints(more, timeoutMs, signal) {
      let first: number | undefined;
      await poll(
        `${more} more checkpoints`,
        async () => {
          const count = await client.completedCheckpoints();
          if (count === "unreachable") return false;
          first = Math.min(first ?? count, count);
          return count >= first + more;
        },
        { timeoutMs, signal },
      );
    },
    async pendingCheckpoint() {
      const job = await newestJob();
      const answer = job && (await get<CheckpointHistory>(`/jobs/${job.jid}/checkpoints`));
      const pending = answer?.history.find(({ status }) => status === "IN_PROGRESS");
      return (
        pending && {
          triggeredAtMs: pending.trigger_timestamp,
          acknowledged: pending.num_acknowledged_subtasks === pending.num_subtasks,
        }
      );
    },
    async stopWithSavepoint(folder, written, signal) {
      const job = await newestJob();
      const started =
        job &&
        (await post<{ "request-id": string }>(`/jobs/${job.jid}/savepoints`, {
          "cancel-job": true,
          "target-directory": folder,
          formatType: "CANONICAL",
        }));
      if (started === undefined)
        throw new UserError("Flink does not take a savepoint: nobody answers, or no job runs.");
      const { location, failure } = await poll(
        "the savepoint to complete",
        async () => {
          const answer = await get<{ operation?: { location?: string; "failure-cause"?: { class: string } } }>(
            `/jobs/${job!.jid}/savepoints/${started["request-id"]}`,
          );
          if (answer === undefined) {
            const location = await written();
            return location !== undefined && { location, failure: undefined };
          }
          return (
            answer.operation && { location: answer.operation.location, failure: answer.operation["failure-cause"] }
          );
        },
        { timeoutMs: SAVEPOINT_MS, intervalMs: 50, signal },
      );
      if (location === undefined)
        throw new UserError(`the savepoint failed: ${failure?.class ?? "no reason given"}. See the JobManager's log.`);
      return location;
    },
    async restoredFrom(timeoutMs, signal) {
      return await poll(
        "the job to be restored",
        async () => {
          const job = await newestJob();
          const answer =
            job &&
            (await get<{ latest: { restored: { external_path: string } | null } }>(`/jobs/${job.jid}/checkpoints`));
          return answer?.latest.restored?.external_path;
        },
        { timeoutMs, intervalMs: 100, signal },
      );
    },
    async waitForRunning(timeoutMs, signal) {
      let last = "";
      try {
        await poll("the Flink job to run", async () => (last = await client.jobState()) === "RUNNING", {
          timeoutMs,
          intervalMs: 200,
          signal,
        });
      } catch (error) {
        throw new Error(`${error instanceof Error ? error.message : String(error)} (its state: ${last})`, {
          cause: error,
        });
      }
    },
  };
  return client;
}
