import { childEnv } from "../../process/environment.js";
import { startProgram } from "../../process/run-command.js";
import type { Step } from "../../terminal/steps.js";
import { UserError } from "../../terminal/user-error.js";
import { flinkClient } from "../flink-client.js";
import { requireFree } from "../parts/ports.js";
import type { ClusterSettings } from "../settings.js";
import { ComposeCluster, removeProject } from "./compose-cluster.js";
import { docker } from "./docker.js";
import { composeArgs, type ComposeProject, composeProject, servicesOf } from "./project.js";

const UP_LIMIT_S = 180;
const JOB_LIMIT_MS = 60_000;
const LOG_LINES = 15;

export interface ComposeStartOptions {
  readonly step: Step;
  /** Forget all topics and state of earlier runs. */
  readonly fresh?: boolean;
  /** How many containers each service has; one by default. */
  readonly scale?: Readonly<Partial<Record<"worker" | "functions", number>>>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Starts the pipeline's services of docker-compose.yml, without generator and console, and the web app if the
 * application has it, as a separate project, and resolves when the Flink job runs.
 *
 * @throws {UserError} when a port is taken, stores don't belong together, or a service does not come up. Then nothing
 *   is left running
 */
export async function startComposeCluster(
  settings: ClusterSettings,
  { step, fresh = false, scale = {}, signal }: ComposeStartOptions,
): Promise<ComposeCluster> {
  const project = composeProject(settings);
  await removeProject(project, { volumes: fresh });
  await requirePublishedPorts(settings);
  const cluster = new ComposeCluster(settings, project);
  try {
    await step("docker compose up", async (progress) => {
      const up = startProgram(
        "docker",
        composeArgs(
          project,
          "up",
          "--detach",
          "--wait",
          "--wait-timeout",
          String(UP_LIMIT_S),
          ...Object.entries(scale).flatMap(([service, count]) => ["--scale", `${service}=${count}`]),
          ...servicesOf(settings),
        ),
        childEnv(project.env),
      );
      const onAbort = () => up.kill("SIGINT");
      signal?.addEventListener("abort", onAbort, { once: true });
      const timer = setInterval(() => progress(up.output().trimEnd().split("\n").at(-1)?.trim() ?? ""), 2_000);
      try {
        const { code, stderr } = await up.finished;
        signal?.throwIfAborted();
        if (code !== 0) throw new UserError(`docker compose up failed: ${await reasonOf(project, stderr)}`);
      } finally {
        clearInterval(timer);
        signal?.removeEventListener("abort", onAbort);
      }
    });
    await step("Flink job running", () => flinkClient(settings).waitForRunning(JOB_LIMIT_MS, signal));
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** @throws {UserError} that names the first port of docker-compose.yml that another program has */
async function requirePublishedPorts({ application, ports }: ClusterSettings): Promise<void> {
  await requireFree([
    { port: ports.kafka, user: "kafka" },
    { port: ports.minio, user: "minio" },
    { port: ports.functions, user: "the balancer before the functions" },
    { port: ports.intake, user: "intake" },
    { port: ports.flinkRest, user: "the Flink master" },
    ...(application.servers.dashboard === undefined ? [] : [{ port: ports.dashboard, user: "dashboard" }]),
  ]);
}

/** The service that has failed, according to compose. */
export function failedService(project: string, message: string): string | undefined {
  return (
    /service "([^"]+)"/.exec(message)?.[1] ?? new RegExp(`container ${project}-([a-z0-9-]+)-\\d+ `).exec(message)?.[1]
  );
}

/** Compose names the service that failed; the reason is in that service's log. */
async function reasonOf(project: ComposeProject, stderr: string): Promise<string> {
  const last = stderr.trim().split("\n").at(-1) ?? "it said nothing";
  const service = failedService(project.name, last);
  if (service === undefined) return last;
  const { stdout } = await docker(
    composeArgs(project, "logs", "--no-color", "--no-log-prefix", "--tail", String(LOG_LINES), service),
    project.env,
  );
  return stdout.trim() === "" ? last : `${last}. The end of the log of ${service}:\n${stdout.trim()}`;
}
