import { ComposeCluster } from "../../../cluster/compose/compose-cluster.js";
import { docker, dockerOk } from "../../../cluster/compose/docker.js";
import { composeArgs, composeProject } from "../../../cluster/compose/project.js";
import { clusterSettings, endpoints, flinkClient } from "../../../cluster/index.js";
import { checkedTopics } from "../../../demo/check.js";
import { runGenerator } from "../../../ingress-generator/producer.js";
import { topicEnds } from "../../../kafka/offsets.js";
import { poll } from "../../../process/poll.js";
import { expectDecidedOnce } from "../../judged.js";
import { PATIENCE_MS } from "../../patience.js";

/** Only watch. */
export const ASIDE = ["dashboard", "failures", "prometheus"] as const;

/** What all of these tests share: one project of docker compose, as people use it. */
export const settings = clusterSettings({
  name: "test-up",
  portOffset: 18_000,
  serverEnv: { GENERATOR_RATE: "100", DASHBOARD_FAILURES_TOKEN: "of-this-test-alone" },
});
export const project = composeProject(settings);
export const { kafka: brokers, dashboard: webApp } = endpoints(settings);
export const flink = flinkClient(settings);
export const cluster = new ComposeCluster(settings, project);

export const compose = (...args: readonly string[]) =>
  docker(composeArgs(project, "--profile", "failures", "--profile", "prometheus", ...args), project.env);

/** Without what sends by itself, and what only watches. */
export const scaleTo = (scale: Readonly<Record<"worker" | "functions", number>>, ...flags: readonly string[]) =>
  compose(
    "up",
    "--detach",
    ...flags,
    ...[...Object.entries(scale), ...["generator", ...ASIDE].map((service) => [service, 0] as const)].flatMap(
      ([service, count]) => ["--scale", `${service}=${count}`],
    ),
  );

/** Their containers, networks and volumes, running or not. */
export async function leftovers(): Promise<string[]> {
  const lists = await Promise.all(
    [
      ["ps", "--all"],
      ["network", "ls"],
      ["volume", "ls"],
    ].map((what) => dockerOk([...what, "--quiet", "--filter", `label=com.docker.compose.project=${project.name}`])),
  );
  return lists.flatMap((list) => list.split("\n").filter((line) => line !== ""));
}

/** The job runs, with so many subtasks of each kind. */
export const untilItRunsOn = (parallelism: number): Promise<unknown> =>
  poll(
    `the job to run with a parallelism of ${parallelism}`,
    async () => (await flink.parallelism()) === parallelism && (await flink.jobState()) === "RUNNING",
    { timeoutMs: PATIENCE_MS, intervalMs: 500 },
  );

export interface Sent {
  readonly runId: string;
  readonly seed: number;
  readonly rate: number;
  readonly transactions: number;
  readonly accounts: number;
}

/**
 * Sends transactions, and expects each of them to be decided once and in order.
 *
 * @param meanwhile - what is done while they are sent
 */
export async function sendAndExpectDecisions(sent: Sent, meanwhile?: () => Promise<void>): Promise<void> {
  const starts = await topicEnds(brokers, checkedTopics);
  await Promise.all([runGenerator({ brokers, ...sent }), meanwhile?.()]);
  await expectDecidedOnce({ brokers, runId: sent.runId, starts, flink }, sent.transactions);
}
