import { addresses, HOST } from "./addresses.js";
import { poll } from "./poll.js";
import { http, tcp } from "./probes.js";
import type { Exit, ManagedProcess } from "./managed-process.js";
import type { ClusterSettings, Part } from "./settings.js";

const START_LIMIT_MS = 90_000;

/**
 * Waits until a part answers as it should.
 *
 * @returns how it ended, if it did before it ever answered
 */
export async function waitHealthy(part: Part, settings: ClusterSettings, process: ManagedProcess, signal?: AbortSignal): Promise<Exit | undefined> {
  let exit: Exit | undefined;
  void process.exited.then((ended) => (exit = ended));
  await poll(`${part} to answer`, async () => exit !== undefined || (await isHealthy(part, settings)), { timeoutMs: START_LIMIT_MS, signal });
  return exit;
}

/** Whether a part answers as it should. */
export async function isHealthy(part: Part, settings: ClusterSettings): Promise<boolean> {
  const at = addresses(settings);
  switch (part) {
    case "zookeeper":
      return tcp(settings.ports.zookeeper);
    case "kafka":
      return tcp(settings.ports.kafka);
    case "minio":
      return http(`${at.minio}/minio/health/live`);
    case "functions":
    case "functions-python":
    case "intake":
    case "dashboard":
      return http(`http://${HOST}:${settings.ports[part]}/healthz`);
    case "jobmanager":
      return http(`${at.flink}/overview`);
    case "taskmanager":
      return tcp(settings.ports.taskManagerMetrics);
  }
}
