import { HOST } from "../../contract/ports.js";
import { poll } from "../../process/poll.js";
import { endpoints } from "../endpoints.js";
import type { ClusterSettings, Part, Server } from "../settings.js";
import type { Exit, ManagedProcess } from "./managed-process.js";
import { healthz, http, type Probe, tcp } from "./probes.js";

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

/** Whether a part answers as it should, and what it says when it does not. */
export async function healthOf(part: Part, settings: ClusterSettings): Promise<Probe> {
  switch (part) {
    case "functions":
    case "functions-python":
    case "intake":
    case "dashboard":
      return await healthz(`http://${HOST}:${settings.ports[part]}`);
    default:
      return { healthy: await answers(part, settings) };
  }
}

async function answers(part: Exclude<Part, Server>, settings: ClusterSettings): Promise<boolean> {
  const at = endpoints(settings);
  switch (part) {
    case "zookeeper":
      return tcp(settings.ports.zookeeper);
    case "kafka":
      return tcp(settings.ports.kafka);
    case "minio":
      return http(`${at.minio}/minio/health/live`);
    case "jobmanager":
      return http(`${at.flink}/overview`);
    case "taskmanager":
      return tcp(settings.ports.taskManagerMetrics);
  }
}
