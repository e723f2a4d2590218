import type { StateBackend } from "../../flink/flink.js";
import { UserError } from "../../terminal/user-error.js";
import type { Cluster } from "../cluster.js";
import { flinkClient } from "../flink-client.js";
import type { ClusterSettings } from "../settings.js";
import { startCluster, type StartOptions } from "../start-cluster.js";
import { zookeeperHasPast } from "./guard.js";

const LIMIT_MS = 300_000;

/** The outcome of a conversion. */
export interface Conversion {
  readonly from: StateBackend;
  readonly to: StateBackend;
  /** The size of the last of the first checkpoints on the new backend. */
  readonly checkpointBytes: number;
}

/**
 * Moves a stopped cluster's state to another backend: starts it without its doors, stops the job with a canonical
 * savepoint, starts the job from there on the other backend, and stops everything when it has checkpoints there. Killed
 * on the way, the next start or conversion goes on.
 *
 * @param settings - of the pipeline; the backend in them does not matter
 * @returns `undefined` when the state is on that backend already
 * @throws {UserError} when the cluster runs, has no state, or the savepoint fails
 */
export async function convertState(
  settings: ClusterSettings,
  to: StateBackend,
  { step, signal }: Pick<StartOptions, "step" | "signal">,
): Promise<Conversion | undefined> {
  if (!zookeeperHasPast(settings))
    throw new UserError(
      `the cluster "${settings.name}" has no state yet. Choose with its first start: npm run cluster -- up --state-backend ${to} --name ${settings.name}`,
    );
  const { functions } = settings.application.servers;
  let cluster: Cluster | undefined;
  try {
    cluster = await startCluster(
      { ...settings, application: { ...settings.application, servers: { functions } }, stateBackendAsked: false },
      { step, restart: true, signal },
    );
    const from = cluster.settings.stateBackend;
    if (from === to) return undefined;
    const flink = flinkClient(settings);
    signal?.throwIfAborted();
    signal?.addEventListener("abort", () => void cluster?.stop(), { once: true });
    await step(`from ${from} to ${to}, by a canonical savepoint`, async () => {
      await cluster!.restartFlink({ stateBackend: to });
      await flink.waitForRunning(LIMIT_MS, signal);
    });
    const checkpoints = await flink.checkpoints();
    return { from, to, checkpointBytes: checkpoints === "unreachable" ? 0 : (checkpoints.last?.bytes ?? 0) };
  } finally {
    if (cluster !== undefined) await step("stopping", () => cluster!.stop());
  }
}
