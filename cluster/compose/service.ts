import type { Endpoints } from "../../contract/ports.js";
import { given } from "../../process/environment.js";
import { UserError } from "../../terminal/user-error.js";
import { type ClusterOptions, clusterSettings, type ClusterSettings } from "../settings.js";
import { KEYS_FOLDER } from "./keys-folder.js";

/** A variable that docker-compose.yml gives to the service. @throws {UserError} when it is not set */
export function serviceVariable(service: string, name: string): string {
  const value = given()[name];
  if (value === undefined)
    throw new UserError(`${name} is not set. This runs as the service "${service}" of docker-compose.yml.`);
  return value;
}

/** The variables in which docker-compose.yml says where others are. */
const WHERE = { kafka: "KAFKA", zookeeper: "ZOOKEEPER", minio: "MINIO", flink: "FLINK" } as const;

/**
 * The settings of the cluster as a service in its container network sees it, which mounts the object store's keys.
 *
 * @param asked - those of whom docker-compose.yml tells the service where they are; it must ask no others
 * @throws {UserError} when it does not
 */
export function settingsInContainers(
  service: string,
  asked: readonly (keyof typeof WHERE)[],
  options: ClusterOptions = {},
): ClusterSettings {
  const defaults = clusterSettings(options);
  const nowhere: Endpoints = {
    kafka: "",
    zookeeper: "",
    minio: "",
    flink: "",
    functions: "",
    intake: "",
    dashboard: "",
  };
  return {
    ...defaults,
    endpoints: {
      ...nowhere,
      ...Object.fromEntries(asked.map((part) => [part, serviceVariable(service, WHERE[part])])),
    },
    objectStore: { ...defaults.objectStore, keysIn: KEYS_FOLDER },
  };
}

/** Runs a service's program, and ends the process with what came of it: 0, or 1 and the error. */
export async function runService(main: () => Promise<void>): Promise<never> {
  try {
    await main();
    process.exit(0);
  } catch (error) {
    serviceFailed(error);
  }
}

/** Says why a service's program ends, and ends the process with 1. */
export function serviceFailed(error: unknown): never {
  process.stderr.write(
    error instanceof UserError
      ? `error: ${error.message}\n`
      : `${error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exit(1);
}
