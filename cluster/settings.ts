import { join } from "node:path";

import { type Endpoints, type PortName, portsAt } from "../contract/ports.js";
import { OUTPUT_TOPICS, TOPICS, type TopicSettings } from "../contract/topics.js";
import type { StateBackend } from "../flink/flink.js";
import { REPOSITORY_ROOT } from "../process/repository-root.js";

/** Servers that an application may bring with it. */
export const SERVERS = ["functions", "functions-python", "intake", "dashboard"] as const;
export type Server = (typeof SERVERS)[number];

/** The processes of a running system, in the order in which they depend on each other. */
export const PARTS = ["zookeeper", "kafka", "minio", ...SERVERS, "jobmanager", "taskmanager"] as const;
export type Part = (typeof PARTS)[number];

/**
 * One of an application's own servers. It listens at the `HOST` and `PORT` of its environment, and answers
 * `GET /healthz`. The environment also says where others are: `KAFKA` (`host:port`), `INTAKE` and `FLINK` (URLs).
 */
export interface ServerProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A server in TypeScript. @param file - absolute path of its module */
export const nodeServer = (file: string): ServerProgram => ({
  command: process.execPath,
  args: ["--import", "tsx", file],
});

/**
 * A server in TypeScript that can be replaced without an interruption: see `rolling-server.ts`.
 *
 * @param file - absolute path of its module
 */
export const rollingServer = (file: string): ServerProgram => ({
  command: process.execPath,
  args: ["--import", "tsx", join(REPOSITORY_ROOT, "cluster/rolling-server.ts"), file],
});

/** What a cluster runs: StateFun's module, the servers that it calls, and their topics. */
export interface Application {
  /** Absolute path of the module, with the endpoints of the container network. */
  readonly moduleFile: string;
  /**
   * The servers that the module calls, each at `http://<name>:<port>/`, where it is reached in the container network.
   */
  readonly servers: Readonly<{ functions: ServerProgram } & Partial<Record<Server, ServerProgram>>>;
  /** Topics that StateFun reads. What it could not handle must not get in, so their batches should be bounded. */
  readonly ingressTopics: readonly TopicSettings[];
  /** Topics that its egress writes in transactions. */
  readonly outputTopics: readonly TopicSettings[];
  /** Topics of its own servers. */
  readonly otherTopics?: readonly TopicSettings[];
}

/** The fraud detection of this repository. */
export const FRAUD_DETECTION: Application = {
  moduleFile: join(REPOSITORY_ROOT, "module.yaml"),
  servers: {
    functions: rollingServer(join(REPOSITORY_ROOT, "functions/server.ts")),
    intake: nodeServer(join(REPOSITORY_ROOT, "intake/server.ts")),
  },
  ingressTopics: [TOPICS.transactionsValid, TOPICS.labelsValid],
  outputTopics: OUTPUT_TOPICS,
  otherTopics: [TOPICS.transactions, TOPICS.labels, TOPICS.transactionsRejected, TOPICS.labelsRejected, TOPICS.models],
};

/**
 * The fraud detection with its web app. Loads, proofs and most measurements run without it, so that their figures stay
 * comparable.
 *
 * @param env - more environment for the web app, such as where the helper of its failure menu listens
 */
export const withDashboard = (env: Readonly<Record<string, string>> = {}): Application => ({
  ...FRAUD_DETECTION,
  servers: {
    ...FRAUD_DETECTION.servers,
    dashboard: { ...nodeServer(join(REPOSITORY_ROOT, "dashboards/live/server.ts")), env },
  },
});

/** The backend of new state. docs/operations.md says when to use which. */
export const DEFAULT_STATE_BACKEND: StateBackend = "hashmap";

/**
 * What Java makes of the broker's and the TaskManager's code: `quick` compiles it once; `optimising` compiles what is
 * used most again, which takes processor time in the first minutes, and saves it from then on (docs/performance.md,
 * "Java's compilers").
 */
export const COMPILERS = ["quick", "optimising"] as const;
export type Compiler = (typeof COMPILERS)[number];

/** As in `flink-conf.yaml`. */
export const DEFAULT_CHECKPOINT_INTERVAL_MS = 400;

/**
 * The parallelism of a new job, as in `flink-conf.yaml`. One subtask is no single thread: sources, functions, their
 * calls and the egress each have their own. With two, each does half as much of the same, in smaller batches, and two
 * processors are what all of it shares (docs/performance.md, "Parallelism").
 */
export const DEFAULT_PARALLELISM = 1;

export const FIRST_GENERATION = 1;
/** Where Flink's high availability keeps its files in the bucket. */
export const HA_FOLDER = "ha";
/** The name under which it keeps a generation's checkpoints there and in ZooKeeper. */
export const clusterId = ({ stateGeneration }: Pick<ClusterSettings, "stateGeneration">): string =>
  stateGeneration === FIRST_GENERATION ? "fraud" : `fraud-${stateGeneration}`;

/** Everything that may differ between two clusters on one machine. */
export interface ClusterSettings {
  readonly name: string;
  readonly application: Application;
  /** The folder of data, logs, rendered configuration and process ids; nothing else is written while running. */
  readonly dataDir: string;
  readonly ports: Readonly<Record<PortName, number>>;
  /** Where the parts are reached when it is not at these ports on this machine: inside a container network. */
  readonly endpoints?: Endpoints;
  /**
   * The parallelism of the job, and the number of slots for it. While a cluster runs: the job's. Before: what is asked
   * for, else the default for a new one.
   */
  readonly parallelism: number;
  /** Whether that parallelism was asked for: a job that is kept with another is then refused. */
  readonly parallelismAsked: boolean;
  readonly checkpointIntervalMs: number;
  readonly compiler: Compiler;
  /** While a cluster runs: what its state is on. Before: what is asked for, else the default for new state. */
  readonly stateBackend: StateBackend;
  /** Whether that backend was asked for: state on another one is then refused. */
  readonly stateBackendAsked: boolean;
  /** Counts the job's restarts from a savepoint: see `StateRecord`. */
  readonly stateGeneration: number;
  /** Megabytes. `jobManager` and `taskManager` are Flink's total process sizes, the others Java heaps. */
  readonly memoryMb: {
    readonly zookeeper: number;
    readonly kafka: number;
    readonly jobManager: number;
    readonly taskManager: number;
  };
  /** `keysIn` is the folder with the object store's keys: see `objectStoreKeys`. It listens on loopback only. */
  readonly objectStore: { readonly bucket: string; readonly keysIn: string };
  /** Environment for the application's servers, on top of the caller's own. */
  readonly serverEnv: Readonly<Record<string, string>>;
  /** Environment for the native broker, such as that of another clock. */
  readonly kafkaEnv: Readonly<Record<string, string>>;
  /** Settings of Flink that override those in `flink-conf.yaml`. */
  readonly flinkConf: Readonly<Record<string, string>>;
  /** Where the job begins when it has no checkpoint yet. */
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
  /** Default `quick`: what lives for minutes never gets back what the other one takes at first. */
  readonly compiler?: Compiler;
  /** Default: the one that the data folder's state is on; of a new folder {@link DEFAULT_STATE_BACKEND}. */
  readonly stateBackend?: StateBackend;
  readonly serverEnv?: Readonly<Record<string, string>>;
  readonly kafkaEnv?: Readonly<Record<string, string>>;
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
  const dataDir = join(REPOSITORY_ROOT, ".cluster", name);
  return {
    name,
    application: options.application ?? FRAUD_DETECTION,
    dataDir,
    ports: portsAt(options.portOffset),
    parallelism: options.parallelism ?? DEFAULT_PARALLELISM,
    parallelismAsked: options.parallelism !== undefined,
    checkpointIntervalMs: options.checkpointIntervalMs ?? DEFAULT_CHECKPOINT_INTERVAL_MS,
    compiler: options.compiler ?? "quick",
    stateBackend: options.stateBackend ?? DEFAULT_STATE_BACKEND,
    stateBackendAsked: options.stateBackend !== undefined,
    stateGeneration: FIRST_GENERATION,
    memoryMb: { zookeeper: 96, kafka: 512, jobManager: 900, taskManager: 2048 },
    objectStore: { bucket: "statefun", keysIn: dataDir },
    serverEnv: options.serverEnv ?? {},
    kafkaEnv: options.kafkaEnv ?? {},
    flinkConf: options.flinkConf ?? {},
    savepoint: undefined,
  };
}
