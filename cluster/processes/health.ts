import { HOST } from "../../contract/ports.js";
import { poll } from "../../process/poll.js";
import { endpoints } from "../endpoints.js";
import type { ClusterSettings, Part } from "../settings.js";
import type { Exit, ManagedProcess } from "./managed-process.js";
import { healthz, http, kafka, PROBE_MS, type Probe, zooKeeper } from "./probes.js";

const START_LIMIT_MS = 90_000;

/**
 * Waits until a part answers as it should.
 *
 * @returns how it ended, if it did before it ever answered
 */
export async function waitHealthy(
  part: Part,
  settings: ClusterSettings,
  process: ManagedProcess,
  signal?: AbortSignal,
): Promise<Exit | undefined> {
  let exit: Exit | undefined;
  void process.exited.then((ended) => (exit = ended));
  await poll(`${part} to answer`, async () => exit !== undefined || (await isHealthy(part, settings)), {
    timeoutMs: START_LIMIT_MS,
    signal,
  });
  return exit;
}

/** Whether a part answers as it should. */
export const isHealthy = async (part: Part, settings: ClusterSettings): Promise<boolean> =>
  (await healthOf(part, settings)).healthy;

/** Asks a part by its own protocol how it is. @param limitMs - an answer that takes longer is none */
export function healthOf(part: Part, settings: ClusterSettings, limitMs = PROBE_MS): Promise<Probe> {
  const { ports } = settings;
  const at = endpoints(settings);
  switch (part) {
    case "functions":
    case "functions-python":
    case "intake":
    case "dashboard":
      return healthz(`http://${HOST}:${ports[part]}`, limitMs);
    case "zookeeper":
      return zooKeeper(ports.zookeeper, limitMs);
    case "kafka":
      return kafka(ports.kafka, limitMs);
    case "minio":
      return http(`${at.minio}/minio/health/live`, limitMs);
    case "jobmanager":
      return http(`${at.flink}/overview`, limitMs);
    case "taskmanager":
      return http(`http://${HOST}:${ports.taskManagerMetrics}/healthz`, limitMs);
  }
}
