import { UserError } from "../../terminal/user-error.js";
import type { Cluster } from "../cluster.js";
import { flinkClient } from "../flink-client.js";
import type { ClusterSettings } from "../settings.js";
import { startCluster, type StartOptions } from "../start-cluster.js";
import { zookeeperHasPast } from "./guard.js";

const LIMIT_MS = 300_000;

/** What Flink keeps of a job, whatever its settings say. */
export type KeptByFlink = Pick<ClusterSettings, "stateBackend" | "parallelism">;

/** The outcome of a conversion. */
export interface Conversion {
  readonly from: KeptByFlink;
  readonly to: KeptByFlink;
  /** The size of the last of the job's first checkpoints after it. */
  readonly checkpointBytes: number;
}

/**
 * Moves a stopped cluster's state to another backend or parallelism: starts it without its doors, stops the job with a
 * canonical savepoint, starts it from there as it is to be, and stops everything when it has checkpoints. Killed on the
 * way, the next start or conversion goes on.
 *
 * @param settings - of the pipeline; the backend and the parallelism in them do not matter
 * @param to - what is to change
 * @returns `undefined` when all of it is so already
 * @throws {UserError} when the cluster runs, has no state, or the savepoint fails
 */
export async function convertState(
  settings: ClusterSettings,
  to: Partial<KeptByFlink>,
  { step, signal }: Pick<StartOptions, "step" | "signal">,
): Promise<Conversion | undefined> {
  if (!zookeeperHasPast(settings)) {
    const options = [
      ...(to.stateBackend === undefined ? [] : [`--state-backend ${to.stateBackend}`]),
      ...(to.parallelism === undefined ? [] : [`--parallelism ${to.parallelism}`]),
    ];
    throw new UserError(
      `the cluster "${settings.name}" has no state yet. Choose with its first start: npm run cluster -- up ${options.join(" ")} --name ${settings.name}`,
    );
  }
  const { functions } = settings.application.servers;
  let cluster: Cluster | undefined;
  try {
    cluster = await startCluster(
      {
        ...settings,
        application: { ...settings.application, servers: { functions } },
        stateBackendAsked: false,
        parallelismAsked: false,
      },
      { step, restart: true, signal },
    );
    const { stateBackend, parallelism } = cluster.settings;
    const from: KeptByFlink = { stateBackend, parallelism };
    const wanted = { ...from, ...to };
    if (wanted.stateBackend === stateBackend && wanted.parallelism === parallelism) return undefined;
    const flink = flinkClient(settings);
    signal?.throwIfAborted();
    signal?.addEventListener("abort", () => void cluster?.stop(), { once: true });
    await step(`from ${keptText(from)} to ${keptText(wanted)}, by a canonical savepoint`, async () => {
      await cluster!.restartFlink(wanted);
      await flink.waitForRunning(LIMIT_MS, signal);
    });
    const checkpoints = await flink.checkpoints();
    return { from, to: wanted, checkpointBytes: checkpoints === "unreachable" ? 0 : (checkpoints.last?.bytes ?? 0) };
  } finally {
    if (cluster !== undefined) await step("stopping", () => cluster!.stop());
  }
}

/** Such as "rocksdb with a parallelism of 2". */
export const keptText = ({ stateBackend, parallelism }: KeptByFlink): string =>
  `${stateBackend} with a parallelism of ${parallelism}`;
