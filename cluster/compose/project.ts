import { join } from "node:path";

import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import type { ClusterSettings } from "../settings.js";

/** docker-compose.yml, as one set of containers, networks and volumes. */
export interface ComposeProject {
  /** The prefix of all their names. */
  readonly name: string;
  /** What docker-compose.yml takes from the environment. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * What a load or a test needs: everything but the generator, the console and the web app. Other services come along
 * because these depend on them.
 */
export const PIPELINE_SERVICES = ["master", "worker", "balancer", "functions", "intake"] as const;

/**
 * The services that run an application: with what tidies up after it, its web app, if it has one, and the helper of the
 * web app's failure menu, if there is a token for it.
 */
export function servicesOf({ application: { servers } }: ClusterSettings): readonly string[] {
  const more =
    servers.dashboard === undefined
      ? []
      : ["dashboard", ...(servers.dashboard.env?.["DASHBOARD_FAILURES_TOKEN"] === undefined ? [] : ["failures"])];
  return [...PIPELINE_SERVICES, "tidy", ...more];
}

/**
 * The project of a cluster: its own name, so that it shares nothing with another or with a plain `docker compose up`.
 */
export function composeProject({ name, application, ports, serverEnv }: ClusterSettings): ComposeProject {
  return {
    name: `fraud-${name}`,
    env: {
      INTAKE_PORT: String(ports.intake),
      FUNCTIONS_PORT: String(ports.functions),
      FLINK_PORT: String(ports.flinkRest),
      KAFKA_PORT: String(ports.kafka),
      MINIO_PORT: String(ports.minio),
      DASHBOARD_PORT: String(ports.dashboard),
      PROMETHEUS_PORT: String(ports.prometheus),
      GRAFANA_PORT: String(ports.grafana),
      ...application.servers.dashboard?.env,
      ...serverEnv,
    },
  };
}

/** Arguments of the docker program for a command of compose. Run them with the project's environment. */
export const composeArgs = ({ name }: ComposeProject, ...command: readonly string[]): string[] => [
  "compose",
  "--ansi",
  "never",
  "--project-directory",
  REPOSITORY_ROOT,
  "--file",
  join(REPOSITORY_ROOT, "docker-compose.yml"),
  "--project-name",
  name,
  ...command,
];
