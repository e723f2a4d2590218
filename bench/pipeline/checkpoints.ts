import { quantile } from "../../contract/quantile.js";

/** The last checkpoints of a job, up to ten: as many as Flink remembers. */
export interface RecentCheckpoints {
  readonly count: number;
  readonly durationMs: { readonly p50: number; readonly max: number };
  /** Of the newest: all of the state. */
  readonly stateBytes: number;
  /** Of the newest: what it wrote. Less than all of it with RocksDB, which writes what has changed. */
  readonly writtenBytes: number;
}

interface CheckpointsAnswer {
  readonly history: readonly {
    readonly status: string;
    readonly end_to_end_duration: number;
    readonly state_size: number;
    readonly checkpointed_size?: number;
  }[];
}

/** @param flink - the REST interface's URL. @returns `undefined` when there is none, or Flink does not answer */
export async function recentCheckpoints(flink: string): Promise<RecentCheckpoints | undefined> {
  try {
    const get = async <T>(path: string): Promise<T> =>
      (await (await fetch(flink + path, { signal: AbortSignal.timeout(3_000) })).json()) as T;
    const { jobs } = await get<{ jobs: readonly { jid: string }[] }>("/jobs/overview");
    return jobs[0] && recentOf(await get<CheckpointsAnswer>(`/jobs/${jobs[0].jid}/checkpoints`));
  } catch {
    return undefined;
  }
}

/** What Flink's answer says. */
export function recentOf({ history }: CheckpointsAnswer): RecentCheckpoints | undefined {
  const completed = history.filter(({ status }) => status === "COMPLETED");
  const newest = completed[0];
  if (newest === undefined) return undefined;
  const durations = completed.map((one) => one.end_to_end_duration);
  return {
    count: completed.length,
    durationMs: { p50: quantile(durations, 0.5)!, max: Math.max(...durations) },
    stateBytes: newest.state_size,
    writtenBytes: newest.checkpointed_size ?? newest.state_size,
  };
}
