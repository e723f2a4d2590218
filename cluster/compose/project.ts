import { join } from "node:path";

import { type ClusterSettings, REPOSITORY_ROOT } from "../settings.js";

/** docker-compose.yml, as one set of containers, networks and volumes. */
export interface ComposeProject {
  /** In front of the names of all of them. */
  readonly name: string;
  /** What docker-compose.yml takes from the environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** What a load or a test needs: everything but the generator and the console. Others come along, for these depend on them. */
export const PIPELINE_SERVICES = ["master", "worker", "balancer", "functions", "intake"] as const;

/** The project of a cluster: its own name, so that it shares nothing with another or with a plain `docker compose up`. */
export function composeProject({ name, ports, objectStore, serverEnv }: ClusterSettings): ComposeProject {
  return {
    name: `fraud-${name}`,
    env: {
      INTAKE_PORT: String(ports.intake),
      DASHBOARD_PORT: String(ports.dashboard),
      FUNCTIONS_PORT: String(ports.functions),
      FLINK_PORT: String(ports.flinkRest),
      KAFKA_PORT: String(ports.kafka),
      MINIO_PORT: String(ports.minio),
      MINIO_ACCESS_KEY: objectStore.accessKey,
      MINIO_SECRET_KEY: objectStore.secretKey,
      ...serverEnv,
    },
  };
}

/** Arguments of the docker program for a command of compose. Run them with the project's environment. */
export const composeArgs = ({ name }: ComposeProject, ...command: readonly string[]): string[] => ["compose", "--ansi", "never", "--project-directory", REPOSITORY_ROOT, "--file", join(REPOSITORY_ROOT, "docker-compose.yml"), "--project-name", name, ...command];
