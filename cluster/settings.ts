import { homedir, tmpdir } from "node:os";
import { isAbsolute, join, normalize, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import type { Addresses } from "./addresses.js";
import { given } from "./environment.js";
import { requireUsable } from "./file-names.js";
import { UserError } from "./user-error.js";

/** The repository's root folder (absolute path). */
export const REPOSITORY_ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Servers that an application may bring along. */
export const SERVERS = ["functions", "functions-python", "intake", "dashboard"] as const;
export type Server = (typeof SERVERS)[number];

/** The processes of a running system, in the order in which they depend on each other. */
export const PARTS = ["zookeeper", "kafka", "minio", ...SERVERS, "jobmanager", "taskmanager"] as const;
export type Part = (typeof PARTS)[number];

export interface TopicSettings {
  readonly name: string;
  /** Fixed for good: another count would move keys to other partitions and break their order. */
  readonly partitions: number;
  /** How long records are kept, in milliseconds. */
  readonly retentionMs: number;
  /** The largest batch of records that it takes, in bytes. Default: the broker's, 1 MiB. */
  readonly batchBytes?: number;
  /** Whose clock a record's timestamp is. Default: the producer's. */
  readonly timestamps?: "broker";
}

/** Calls of one request of the batching transport at most: more gain nothing, and what one failed request repeats stays small. */
const REQUEST_CALLS = 256;
/** Requests of a task on their way while the next batch gathers: with one the functions would wait for StateFun in between. */
const REQUESTS_IN_FLIGHT = 2;

/**
 * What bounds what is under way, each derived from the one before; `module.yaml` and `cluster/flink-conf.yaml` say the same, and a spec
 * compares them. What is beyond a bound waits in Kafka. docs/overload.md explains each.
 */
export const LIMITS = {
  /**
   * The largest record that the `*.valid` topics take. Kafka applies it to a whole batch of records, so it also bounds what
   * a producer may send to a partition at once. A transaction has about 200 bytes.
   */
  recordBytes: 24 * 1024,
  /** `maxNumBatchRequests` of module.yaml: messages that wait for one address. */
  batchRecords: 1000,
  /** A generous bound on one address's state. */
  stateBytes: 256 * 1024,
  /**
   * The largest request that the function server takes, and StateFun's default for the largest reply. StateFun repeats a call that is
   * too large until the job restarts, for ever; so the function server checks at start that the largest one fits.
   */
  bodyBytes: 32 * 1024 * 1024,
  /** `requests_in_flight` of module.yaml, of each task. */
  requestsInFlight: REQUESTS_IN_FLIGHT,
  /** `max_requests` of module.yaml: requests and connections of a task, those included that are slow to answer. */
  requests: 4 * REQUESTS_IN_FLIGHT,
  /** `max_batch_calls` of module.yaml. */
  requestCalls: REQUEST_CALLS,
  /** `max_batch_bytes` of module.yaml: a call is about 1 KB, its address's state included, so that the number of calls decides. */
  requestBytes: 4 * 1024 * REQUEST_CALLS,
  /**
   * `statefun.async.max-per-task` of flink-conf.yaml: calls of a task under way. What is on its way, and as much again that is ready
   * when an answer comes. Each of these is part of every checkpoint, and goes again after a restart.
   */
  callsPerTask: 2 * REQUESTS_IN_FLIGHT * REQUEST_CALLS,
} as const;

const DAY_MS = 24 * 60 * 60 * 1000;
const topic = (name: string, more: Partial<TopicSettings> = {}): TopicSettings => ({ name, partitions: 4, retentionMs: 7 * DAY_MS, ...more });
/** A refused record holds the original, which may be as large as the broker takes. */
const REFUSED_BYTES = 2 * 1024 * 1024;

/**
 * Every Kafka topic. Anybody may write anything to `transactions` and `labels`; the broker stamps their records, so that what
 * the clock decides about one stays decided. `*.valid` hold bare protobuf messages and are StateFun's only ingresses. Every other
 * topic's record value is a protobuf Any.
 */
export const TOPICS = {
  transactions: topic("transactions", { timestamps: "broker" }),
  labels: topic("labels", { timestamps: "broker" }),
  transactionsValid: topic("transactions.valid", { batchBytes: LIMITS.recordBytes }),
  labelsValid: topic("labels.valid", { batchBytes: LIMITS.recordBytes }),
  transactionsRejected: topic("transactions.rejected", { batchBytes: REFUSED_BYTES }),
  labelsRejected: topic("labels.rejected", { batchBytes: REFUSED_BYTES }),
  decisions: topic("decisions"),
  evidence: topic("evidence"),
  alerts: topic("alerts"),
  functionsRejected: topic("functions.rejected"),
} as const satisfies Record<string, TopicSettings>;

/** Topics that the StateFun egress writes in transactions: read them with `read_committed`. */
export const OUTPUT_TOPICS = [TOPICS.decisions, TOPICS.evidence, TOPICS.alerts, TOPICS.functionsRejected] as const;

/** The consumer group of both ingresses (`module.yaml`). It commits with each checkpoint, for people to see; a restart reads on from the checkpoint. */
export const PIPELINE_GROUP = "fraud-pipeline";

/**
 * A server of an application's own. It listens at `HOST` and `PORT` of its environment, and answers `GET /healthz`. The environment also
 * says where others are: `KAFKA` (`host:port`), `INTAKE` and `FLINK` (URLs).
 */
export interface ServerProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A server in TypeScript. @param file - absolute path of its module */
export const nodeServer = (file: string): ServerProgram => ({ command: process.execPath, args: ["--import", "tsx", file] });

/**
 * A server in TypeScript that is exchanged without an interruption: see `rolling-server.ts`.
 *
 * @param file - absolute path of its module
 */
export const rollingServer = (file: string): ServerProgram => ({ command: process.execPath, args: ["--import", "tsx", join(REPOSITORY_ROOT, "cluster/rolling-server.ts"), file] });

/** What a cluster runs: StateFun's module, the servers that it calls, and their topics. */
export interface Application {
  /** Absolute path of the module, with the addresses of the container network. */
  readonly moduleFile: string;
  /** The module calls each at `http://<name>:<port>/`, where it is reached in the container network. */
  readonly servers: Readonly<{ functions: ServerProgram } & Partial<Record<Server, ServerProgram>>>;
  /** Topics that StateFun reads. What it could not digest must not get in, so their batches should be bounded. */
  readonly ingressTopics: readonly TopicSettings[];
  /** Topics that its egress writes in transactions. */
  readonly outputTopics: readonly TopicSettings[];
  /** Topics of its own servers. */
  readonly otherTopics?: readonly TopicSettings[];
}

/** The fraud detection of this repository. */
export const FRAUD_DETECTION: Application = {
  moduleFile: join(REPOSITORY_ROOT, "module.yaml"),
  servers: { functions: rollingServer(join(REPOSITORY_ROOT, "functions/server.ts")), intake: nodeServer(join(REPOSITORY_ROOT, "intake/server.ts")) },
  ingressTopics: [TOPICS.transactionsValid, TOPICS.labelsValid],
  outputTopics: OUTPUT_TOPICS,
  otherTopics: [TOPICS.transactions, TOPICS.labels, TOPICS.transactionsRejected, TOPICS.labelsRejected],
};

/**
 * The fraud detection with its web app. Loads, proofs and most measurements run without it, so that their figures stay
 * comparable.
 *
 * @param env - more environment for the web app, such as where the helper of its failure menu listens
 */
export const withDashboard = (env: Readonly<Record<string, string>> = {}): Application => ({
  ...FRAUD_DETECTION,
  servers: { ...FRAUD_DETECTION.servers, dashboard: { ...nodeServer(join(REPOSITORY_ROOT, "dashboards/live/server.ts")), env } },
});

/** Ports in a container network. On this machine each is moved by the offset of {@link clusterSettings}. */
export const BASE_PORTS = {
  zookeeper: 2181,
  zookeeperPeer: 2888,
  zookeeperElection: 3888,
  kafka: 9092,
  kafkaController: 9093,
  minio: 9000,
  minioConsole: 9001,
  functions: 8000,
  "functions-python": 8001,
  intake: 8080,
  dashboard: 8090,
  flinkRest: 8081,
  jobManagerRpc: 6123,
  jobManagerBlob: 6124,
  taskManagerRpc: 6122,
  taskManagerData: 6121,
  jobManagerMetrics: 9249,
  taskManagerMetrics: 9250,
  prometheus: 9090,
  grafana: 3000,
} as const;
/** Beyond it ports would come to lie above 32767, where Linux takes the near ends of outgoing connections from. */
export const MAX_PORT_OFFSET = 23_000;
export type PortName = keyof typeof BASE_PORTS;

/** Where Flink keeps state while it works: in RocksDB's files, or as objects on Java's heap (`hashmap`). */
export const STATE_BACKENDS = ["rocksdb", "hashmap"] as const;
export type StateBackend = (typeof STATE_BACKENDS)[number];
/** Of state that has no past. docs/operations.md says when which one is right. */
export const DEFAULT_STATE_BACKEND: StateBackend = "hashmap";

/** Of a job that has no past. */
export const DEFAULT_PARALLELISM = 2;

export const FIRST_GENERATION = 1;
/** Where Flink's high availability keeps its files in the bucket. */
export const HA_FOLDER = "ha";
/** The name under which it keeps a generation's checkpoints there and in ZooKeeper. */
export const clusterId = ({ stateGeneration }: Pick<ClusterSettings, "stateGeneration">): string => (stateGeneration === FIRST_GENERATION ? "fraud" : `fraud-${stateGeneration}`);

/** Everything that may differ between two clusters on one machine. */
export interface ClusterSettings {
  readonly name: string;
  readonly application: Application;
  /** Data, logs, rendered configuration and process ids; nothing else is written while running. */
  readonly dataDir: string;
  readonly ports: Readonly<Record<PortName, number>>;
  /** Where the parts are reached, when that is not at these ports of this machine: inside a container network. */
  readonly addresses?: Addresses;
  /** Of the job, and of the slots for it. Of a cluster that runs: the job's. Before: what is asked for, else the default for a new one. */
  readonly parallelism: number;
  /** Whether that parallelism was asked for: a job that is kept with another is refused then. */
  readonly parallelismAsked: boolean;
  readonly checkpointIntervalMs: number;
  /** Of a cluster that runs: what its state is on. Before: what is asked for, else the default for new state. */
  readonly stateBackend: StateBackend;
  /** Whether that backend was asked for: state on another one is refused then. */
  readonly stateBackendAsked: boolean;
  /** Counts the job's restarts from a savepoint: see `StateRecord`. */
  readonly stateGeneration: number;
  /** Megabytes. `jobManager` and `taskManager` are Flink's total process sizes, the others Java heaps. */
  readonly memoryMb: { readonly zookeeper: number; readonly kafka: number; readonly jobManager: number; readonly taskManager: number };
  /** Buckets and keys of the object store; it listens on loopback only. */
  readonly objectStore: { readonly bucket: string; readonly accessKey: string; readonly secretKey: string };
  /** Environment for the application's servers, on top of the caller's own. */
  readonly serverEnv: Readonly<Record<string, string>>;
  /** Settings of Flink's over those of `flink-conf.yaml`. */
  readonly flinkConf: Readonly<Record<string, string>>;
  /** Where the job begins when no checkpoint of its own is there. */
  readonly savepoint: string | undefined;
}

export interface ClusterOptions {
  /** Names the data folder, so that tests never touch the demo's data. Default `demo`. */
  readonly name?: string;
  /** Default {@link FRAUD_DETECTION}. */
  readonly application?: Application;
  /** Added to every default port. Default 0. */
  readonly portOffset?: number;
  readonly parallelism?: number;
  readonly checkpointIntervalMs?: number;
  /** Default: the one that the data folder's state is on; of a new folder {@link DEFAULT_STATE_BACKEND}. */
  readonly stateBackend?: StateBackend;
  readonly serverEnv?: Readonly<Record<string, string>>;
  readonly flinkConf?: Readonly<Record<string, string>>;
}

/** The parts that a cluster with these settings has. */
export function partsOf({ application }: ClusterSettings): readonly Part[] {
  return PARTS.filter((part) => !isServer(part) || application.servers[part] !== undefined);
}

/** Whether a part is one of the application's own servers. */
export const isServer = (part: Part): part is Server => SERVERS.some((name) => name === part);

/** The settings of one native cluster; the defaults are the demo's. */
export function clusterSettings(options: ClusterOptions = {}): ClusterSettings {
  const name = options.name ?? "demo";
  const offset = options.portOffset ?? 0;
  const ports = Object.fromEntries(Object.entries(BASE_PORTS).map(([part, port]) => [part, port + offset])) as Record<PortName, number>;
  return {
    name,
    application: options.application ?? FRAUD_DETECTION,
    dataDir: join(REPOSITORY_ROOT, ".cluster", name),
    ports,
    parallelism: options.parallelism ?? DEFAULT_PARALLELISM,
    parallelismAsked: options.parallelism !== undefined,
    checkpointIntervalMs: options.checkpointIntervalMs ?? 1000,
    stateBackend: options.stateBackend ?? DEFAULT_STATE_BACKEND,
    stateBackendAsked: options.stateBackend !== undefined,
    stateGeneration: FIRST_GENERATION,
    memoryMb: { zookeeper: 96, kafka: 512, jobManager: 900, taskManager: 2048 },
    objectStore: { bucket: "statefun", accessKey: "fraud-demo", secretKey: "fraud-demo-secret" },
    serverEnv: options.serverEnv ?? {},
    flinkConf: options.flinkConf ?? {},
    savepoint: undefined,
  };
}

/**
 * Where downloads and builds are kept between clones: `FRAUD_CACHE_DIR`, else the user's cache folder.
 *
 * @throws {UserError} when that is relative, or its name cannot be given to Java
 */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  const { FRAUD_CACHE_DIR: asked, XDG_CACHE_HOME: cache, HOME: home } = given(env);
  // Programs that run in different folders share it.
  if (asked !== undefined && !isAbsolute(asked)) throw new UserError(`FRAUD_CACHE_DIR is ${JSON.stringify(asked)}: give it an absolute path, such as ${asked.startsWith("~/") ? join(homedir(), asked.slice(2)) : resolve(REPOSITORY_ROOT, asked)}.`);
  // One that is relative is to be ignored, say those who have defined this variable.
  const base = cache !== undefined && isAbsolute(cache) ? cache : home !== undefined && isAbsolute(home) ? join(home, ".cache") : tmpdir();
  const folder = asked === undefined ? join(base, "stateful-fraud-detection") : normalize(asked);
  requireUsable(folder, "downloads and builds", "Name another one: FRAUD_CACHE_DIR=/path/to/folder");
  return folder;
}
