import { UserError } from "../../terminal/user-error.js";
import { type ClusterSettings, isServer, type Part, partsOf } from "../settings.js";

/** The name of each part in docker-compose.yml. */
export const SERVICES: Readonly<Partial<Record<Part, string>>> = {
  zookeeper: "zookeeper",
  kafka: "kafka",
  minio: "minio",
  functions: "functions",
  intake: "intake",
  dashboard: "dashboard",
  jobmanager: "master",
  taskmanager: "worker",
};

/** @throws {UserError} when docker-compose.yml has none for it */
export function serviceOf(part: Part): string {
  const service = SERVICES[part];
  if (service === undefined) throw new UserError(`${part} has no service in docker-compose.yml.`);
  return service;
}

/** Whether docker-compose.yml has a service for each server of an application. */
export const runsInContainers = (settings: ClusterSettings): boolean =>
  partsOf(settings)
    .filter(isServer)
    .every((part) => SERVICES[part] !== undefined);
