import { isMap, parse, parseAllDocuments, stringify } from "yaml";

import { BASE_PORTS, HOST } from "../../contract/ports.js";
import { UserError } from "../../terminal/user-error.js";
import { endpoints } from "../endpoints.js";
import { clusterId, type ClusterSettings, HA_FOLDER, SERVERS } from "../settings.js";

/** Keeps a JobManager from starting on stores that do not belong together: `statefun.guard` in the transport's jar. */
const STORES_GUARD = "statefun.guard.v1/stores";

/**
 * `module.yaml` with loopback endpoints in place of those in the container network: StateFun itself substitutes no
 * variables.
 *
 * @throws {UserError} when a component lacks the address to replace: it would point nowhere
 */
export function renderModule(text: string, settings: ClusterSettings): string {
  const brokers = [{ from: `kafka:${BASE_PORTS.kafka}`, to: endpoints(settings).kafka }];
  const servers = SERVERS.map((name) => ({
    from: `http://${name}:${BASE_PORTS[name]}/`,
    to: `http://${HOST}:${settings.ports[name]}/`,
  }));
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents) || documents.length === 0)
    throw new UserError("module.yaml is empty. Restore it from the repository.");
  for (const document of documents) {
    if (document.errors.length > 0)
      throw new UserError(`module.yaml is not YAML: ${document.errors[0]!.message.split("\n")[0]}`);
    const kind = String(document.get("kind"));
    const spec = document.get("spec");
    if (!isMap(spec)) throw new UserError(`module.yaml: a component of kind ${kind} has no spec.`);
    const key = kind.startsWith("io.statefun.endpoints.")
      ? "urlPathTemplate"
      : kind.startsWith("io.statefun.kafka.") || kind === STORES_GUARD
        ? "address"
        : undefined;
    if (key === undefined) throw new UserError(`module.yaml: the native cluster knows no component of kind ${kind}.`);
    const value = String(spec.get(key));
    const replaceable = key === "address" ? brokers : servers;
    const endpoint = replaceable.find(({ from }) => value.includes(from));
    if (endpoint === undefined)
      throw new UserError(
        `module.yaml: ${key} "${value}" holds none of ${replaceable.map(({ from }) => from).join(", ")}, which the native cluster replaces.`,
      );
    spec.set(key, value.replace(endpoint.from, endpoint.to));
  }
  return documents.map((document) => stringify(document.toJS())).join("---\n");
}

/** The native cluster's values over those in `flink-conf.yaml`: endpoints, paths and sizes. */
export function flinkOverrides(
  settings: ClusterSettings,
  role: "jobmanager" | "taskmanager",
): Record<string, string | number> {
  const { ports, objectStore } = settings;
  const at = endpoints(settings);
  const s3 = (path: string) => `s3://${objectStore.bucket}/${path}`;
  return {
    "jobmanager.rpc.address": HOST,
    "jobmanager.rpc.port": ports.jobManagerRpc,
    "jobmanager.bind-host": HOST,
    "high-availability.jobmanager.port": ports.jobManagerRpc,
    "blob.server.port": ports.jobManagerBlob,
    "rest.address": HOST,
    "rest.bind-address": HOST,
    "rest.port": ports.flinkRest,
    "rest.bind-port": ports.flinkRest,
    "taskmanager.host": HOST,
    "taskmanager.bind-host": HOST,
    // Another one at each start, as by Flink's default: at the port of before the JobManager still asks for the
    // TaskManager that died. When both connect to each other at once, Akka may read neither, for two minutes; and with
    // TLS that moment is long.
    "taskmanager.rpc.port": 0,
    // There is one TaskManager: it needs no port for the records of others.
    "shuffle-service-factory.class": "statefun.guard.LocalShuffleServiceFactory",
    "metrics.internal.query-service.port": 0,
    "metrics.reporter.prometheus.host": HOST,
    "metrics.reporter.prometheus.port": role === "jobmanager" ? ports.jobManagerMetrics : ports.taskManagerMetrics,
    "high-availability.zookeeper.quorum": at.zookeeper,
    "high-availability.cluster-id": `/${clusterId(settings)}`,
    "high-availability.storageDir": s3(HA_FOLDER),
    "state.checkpoints.dir": s3("checkpoints"),
    "state.savepoints.dir": s3("savepoints"),
    "s3.endpoint": at.minio,
    "parallelism.default": settings.parallelism,
    "taskmanager.numberOfTaskSlots": settings.parallelism,
    "execution.checkpointing.interval": `${settings.checkpointIntervalMs}ms`,
    "state.backend": settings.stateBackend,
    // StateFun runs on the processors that the functions and Kafka need too.
    "taskmanager.cpu.cores": settings.parallelism,
    ...settings.flinkConf,
    ...(role === "jobmanager"
      ? { "jobmanager.memory.process.size": `${settings.memoryMb.jobManager}mb` }
      : taskManagerMemory(settings)),
  };
}

/** Explicit sizes, as the process is started without the script that would derive them. In megabytes. */
export function taskManagerMemoryMb({ memoryMb, stateBackend }: ClusterSettings): {
  heap: number;
  taskHeap: number;
  frameworkHeap: number;
  managed: number;
  network: number;
  direct: number;
  metaspace: number;
  overhead: number;
} {
  const total = memoryMb.taskManager;
  const metaspace = 192;
  const overhead = 192;
  const network = 128;
  const frameworkOffHeap = 128;
  // RocksDB's caches live in managed memory; on the heap backend the state itself is on the heap.
  const managed = stateBackend === "rocksdb" ? 384 : 0;
  const frameworkHeap = 128;
  const heap = total - metaspace - overhead - network - frameworkOffHeap - managed;
  return {
    heap,
    taskHeap: heap - frameworkHeap,
    frameworkHeap,
    managed,
    network,
    direct: network + frameworkOffHeap,
    metaspace,
    overhead,
  };
}

function taskManagerMemory(settings: ClusterSettings): Record<string, string> {
  const sizes = taskManagerMemoryMb(settings);
  const mb = (value: number) => `${value}mb`;
  return {
    "taskmanager.memory.process.size": mb(settings.memoryMb.taskManager),
    "taskmanager.memory.framework.heap.size": mb(sizes.frameworkHeap),
    "taskmanager.memory.task.heap.size": mb(sizes.taskHeap),
    "taskmanager.memory.framework.off-heap.size": mb(128),
    "taskmanager.memory.task.off-heap.size": mb(0),
    "taskmanager.memory.managed.size": mb(sizes.managed),
    "taskmanager.memory.network.min": mb(sizes.network),
    "taskmanager.memory.network.max": mb(sizes.network),
    "taskmanager.memory.jvm-metaspace.size": mb(sizes.metaspace),
    "taskmanager.memory.jvm-overhead.min": mb(sizes.overhead),
    "taskmanager.memory.jvm-overhead.max": mb(sizes.overhead),
  };
}

/**
 * `flink-conf.yaml` with a native cluster's values; one `key: value` per line, as Flink 1.16 reads it.
 *
 * @throws {UserError} when Flink would read a different value: it knows no quotes, cuts off comments first, and reads
 *   the file in the system's encoding
 */
export function renderFlinkConf(template: string, overrides: Readonly<Record<string, string | number>>): string {
  const settings = { ...(parse(template) as Record<string, string | number | boolean>), ...overrides };
  return Object.entries(settings)
    .map(([key, value]) => {
      if (!/^(?! )[ -"$-~]*(?<! )$/.test(String(value)))
        throw new UserError(
          `flink-conf.yaml cannot hold ${key}: ${JSON.stringify(value)}. Flink takes plain ASCII there, without a "#".`,
        );
      return `${key}: ${value}\n`;
    })
    .join("");
}
