import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { addresses, HOST } from "./addresses.js";
import { flinkOverrides, renderFlinkConf, renderModule, taskManagerMemoryMb } from "./render.js";
import { type ClusterSettings, type Part, type PortName, REPOSITORY_ROOT } from "./settings.js";
import { classpath, jarFolder, minioProgram } from "./tools/index.js";

/** How one part is started and known to work. */
export interface PartProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Ports that must be free before it starts. */
  readonly ports: readonly PortName[];
  /** Writes configuration and folders; called before each start. */
  prepare(): void;
}

// Flink 1.16 is made for Java 11; on 17 it needs these doors opened.
const JAVA_17_OPTIONS = [
  ...["java.base/sun.net.util", "java.rmi/sun.rmi.registry", "java.security.jgss/sun.security.krb5"].map((name) => `--add-exports=${name}=ALL-UNNAMED`),
  ...["java.lang", "java.lang.reflect", "java.util", "java.util.concurrent", "java.util.concurrent.atomic", "java.util.concurrent.locks", "java.text", "java.time", "java.net", "java.io", "java.nio", "sun.nio.ch"].map(
    (name) => `--add-opens=java.base/${name}=ALL-UNNAMED`,
  ),
];
/** No MD5 of every upload on top of TCP's checksums: the object store is on this machine. */
const NO_UPLOAD_MD5 = "-Dcom.amazonaws.services.s3.disablePutObjectMD5Validation=true";
/**
 * The quick compiler only. The optimising one takes both processors of a small machine for minutes after each start; what it
 * gains is less than that up to the load which two processors carry at all (docs/performance.md).
 */
const QUICK_START = "-XX:TieredStopAtLevel=1";
const EXIT_ON_ERROR = "-XX:+ExitOnOutOfMemoryError";

/** The program of each part, for these settings. */
export function partProgram(part: Part, settings: ClusterSettings): PartProgram {
  switch (part) {
    case "zookeeper":
      return zookeeper(settings);
    case "kafka":
      return kafka(settings);
    case "minio":
      return minio(settings);
    case "functions":
      return functions(settings);
    case "jobmanager":
      return jobManager(settings);
    case "taskmanager":
      return taskManager(settings);
  }
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

const properties = (values: Record<string, string | number>): string =>
  Object.entries(values)
    .map(([key, value]) => `${key}=${value}\n`)
    .join("");

/** Where ZooKeeper keeps its data; the guard looks here. */
export const zookeeperData = ({ dataDir }: ClusterSettings): string => join(dataDir, "zookeeper");

function zookeeper(settings: ClusterSettings): PartProgram {
  const { dataDir, ports, memoryMb } = settings;
  const conf = join(dataDir, "conf", "zookeeper.properties");
  const logging = join(dataDir, "conf", "log4j-zookeeper.properties");
  return {
    command: "java",
    args: [`-Xmx${memoryMb.zookeeper}m`, "-XX:+UseSerialGC", QUICK_START, EXIT_ON_ERROR, `-Dlog4j.configurationFile=${logging}`, "-cp", classpath("flink"), "org.apache.flink.runtime.zookeeper.FlinkZooKeeperQuorumPeer", "--zkConfigFile", conf, "--peerId", "1"],
    env: {},
    ports: ["zookeeper"],
    prepare: () => {
      write(logging, log4j("warn"));
      mkdirSync(zookeeperData(settings), { recursive: true });
      write(
        conf,
        properties({
          dataDir: zookeeperData(settings),
          clientPort: ports.zookeeper,
          clientPortAddress: HOST,
          "server.1": `${HOST}:${ports.zookeeperPeer}:${ports.zookeeperElection}`,
          tickTime: 1000,
          initLimit: 10,
          syncLimit: 5,
          maxClientCnxns: 100,
          "admin.enableServer": "false",
          "autopurge.purgeInterval": 1,
          "4lw.commands.whitelist": "ruok",
        }),
      );
    },
  };
}

/** Kafka's storage; it must be formatted once. */
export const kafkaData = ({ dataDir }: ClusterSettings): string => join(dataDir, "kafka");
export const kafkaConf = ({ dataDir }: ClusterSettings): string => join(dataDir, "conf", "kafka.properties");

function kafka(settings: ClusterSettings): PartProgram {
  const { ports, memoryMb } = settings;
  return {
    command: "java",
    args: [`-Xms${memoryMb.kafka}m`, `-Xmx${memoryMb.kafka}m`, "-XX:+UseSerialGC", QUICK_START, EXIT_ON_ERROR, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", classpath("kafka"), "kafka.Kafka", kafkaConf(settings)],
    env: {},
    ports: ["kafka", "kafkaController"],
    prepare: () =>
      write(
        kafkaConf(settings),
        properties({
          "process.roles": "broker,controller",
          "node.id": 1,
          "controller.quorum.voters": `1@${HOST}:${ports.kafkaController}`,
          listeners: `PLAINTEXT://${HOST}:${ports.kafka},CONTROLLER://${HOST}:${ports.kafkaController}`,
          "advertised.listeners": `PLAINTEXT://${HOST}:${ports.kafka}`,
          "controller.listener.names": "CONTROLLER",
          "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
          "log.dirs": kafkaData(settings),
          "auto.create.topics.enable": "false",
          "offsets.topic.replication.factor": 1,
          "offsets.topic.num.partitions": 4,
          "transaction.state.log.replication.factor": 1,
          "transaction.state.log.min.isr": 1,
          "transaction.state.log.num.partitions": 4,
          "group.initial.rebalance.delay.ms": 0,
          "num.network.threads": 2,
          "num.io.threads": 2,
          "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
          "log.cleaner.threads": 1,
          // A killed broker reads its logs again: with small segments that is quick.
          "log.segment.bytes": 64 * 1024 * 1024,
          "controlled.shutdown.max.retries": 1,
        }),
      ),
  };
}

function minio({ dataDir, ports, objectStore }: ClusterSettings): PartProgram {
  const data = join(dataDir, "minio");
  return {
    command: minioProgram(),
    args: ["server", data, "--address", `${HOST}:${ports.minio}`, "--console-address", `${HOST}:${ports.minioConsole}`, "--quiet"],
    env: {
      MINIO_ROOT_USER: objectStore.accessKey,
      MINIO_ROOT_PASSWORD: objectStore.secretKey,
      MINIO_BROWSER: "off",
      MINIO_UPDATE: "off",
      MINIO_CALLHOME_ENABLE: "off",
      // Without this every object is read again in the background.
      MINIO_SCANNER_SPEED: "slowest",
      GOMEMLIMIT: "400MiB",
    },
    ports: ["minio"],
    prepare: () => mkdirSync(data, { recursive: true }),
  };
}

function functions({ ports, functionsEnv }: ClusterSettings): PartProgram {
  return {
    command: process.execPath,
    args: ["--import", "tsx", join(REPOSITORY_ROOT, "functions/server.ts")],
    env: { HOST, PORT: String(ports.functions), ...functionsEnv },
    ports: ["functions"],
    prepare: () => undefined,
  };
}

function flinkConf(settings: ClusterSettings, role: "jobmanager" | "taskmanager"): { folder: string; module: string; logging: string; prepare: () => void } {
  const folder = join(settings.dataDir, "conf", role);
  const module = join(settings.dataDir, "conf", "module.yaml");
  const logging = join(folder, "log4j.properties");
  return {
    folder,
    module,
    logging,
    prepare: () => {
      write(join(folder, "flink-conf.yaml"), renderFlinkConf(readFileSync(join(REPOSITORY_ROOT, "cluster/flink-conf.yaml"), "utf8"), flinkOverrides(settings, role)));
      write(module, renderModule(readFileSync(join(REPOSITORY_ROOT, "module.yaml"), "utf8"), settings));
      write(logging, log4j("info"));
      linkS3Plugin(settings);
      mkdirSync(join(settings.dataDir, `flink-tmp-${role}`), { recursive: true });
    },
  };
}

const pluginsFolder = ({ dataDir }: ClusterSettings): string => join(dataDir, "conf", "plugins");
const flinkEnv = (settings: ClusterSettings): Record<string, string> => ({ FLINK_PLUGINS_DIR: pluginsFolder(settings) });

/** The S3 file system must be a plugin: jars in a folder of their own below the plugins folder. */
function linkS3Plugin(settings: ClusterSettings): void {
  const link = join(pluginsFolder(settings), "s3");
  mkdirSync(pluginsFolder(settings), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(jarFolder("flink-s3"), link);
}

function jobManager(settings: ClusterSettings): PartProgram {
  const { folder, module, logging, prepare } = flinkConf(settings, "jobmanager");
  const heap = settings.memoryMb.jobManager - 450;
  return {
    command: "java",
    args: [
      `-Xms${heap}m`,
      `-Xmx${heap}m`,
      "-XX:MaxMetaspaceSize=256m",
      QUICK_START,
      NO_UPLOAD_MD5,
      "-XX:+UseSerialGC",
      EXIT_ON_ERROR,
      ...JAVA_17_OPTIONS,
      `-Dlog4j.configurationFile=${logging}`,
      "-cp",
      classpath("flink"),
      "org.apache.flink.container.entrypoint.StandaloneApplicationClusterEntryPoint",
      "--configDir",
      folder,
      "--job-classname",
      "org.apache.flink.statefun.flink.core.StatefulFunctionsJob",
      "-D",
      `statefun.remote.module-name=file://${module}`,
    ],
    env: flinkEnv(settings),
    ports: ["flinkRest", "jobManagerRpc", "jobManagerBlob", "jobManagerMetrics"],
    prepare,
  };
}

function taskManager(settings: ClusterSettings): PartProgram {
  const { folder, module, logging, prepare } = flinkConf(settings, "taskmanager");
  const sizes = taskManagerMemoryMb(settings);
  return {
    command: "java",
    args: [
      `-Xms${sizes.heap}m`,
      `-Xmx${sizes.heap}m`,
      `-XX:MaxDirectMemorySize=${sizes.direct}m`,
      `-XX:MaxMetaspaceSize=${sizes.metaspace}m`,
      "-XX:+UseParallelGC",
      QUICK_START,
      NO_UPLOAD_MD5,
      "-XX:ParallelGCThreads=2",
      EXIT_ON_ERROR,
      ...JAVA_17_OPTIONS,
      `-Dlog4j.configurationFile=${logging}`,
      "-cp",
      classpath("flink"),
      "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
      "--configDir",
      folder,
      "-D",
      `statefun.remote.module-name=file://${module}`,
    ],
    env: flinkEnv(settings),
    ports: ["taskManagerRpc", "taskManagerData", "taskManagerMetrics"],
    prepare,
  };
}

/** Log lines with time, level and class, to the standard output that the supervisor keeps. */
function log4j(level: "info" | "warn"): string {
  return properties({
    "rootLogger.level": level,
    "rootLogger.appenderRef.console.ref": "Console",
    "appender.console.name": "Console",
    "appender.console.type": "CONSOLE",
    "appender.console.layout.type": "PatternLayout",
    "appender.console.layout.pattern": "%d{ISO8601} %-5p %-60c{1.} %m%n",
    // One line for each of hundreds of completed checkpoints says nothing.
    "logger.checkpoints.name": "org.apache.flink.runtime.checkpoint.CheckpointCoordinator",
    "logger.checkpoints.level": "warn",
    "logger.kafka.name": "org.apache.kafka",
    "logger.kafka.level": "warn",
    "logger.sink.name": "org.apache.flink.streaming.api.functions.sink",
    "logger.sink.level": "warn",
    "logger.connector.name": "org.apache.flink.streaming.connectors.kafka",
    "logger.connector.level": "warn",
    // The supervisor's own knocking at the door.
    "logger.knock.name": "org.apache.flink.shaded.zookeeper3.org.apache.zookeeper.server.NIOServerCnxn",
    "logger.knock.level": "error",
  });
}

/** Whether a part answers as it should. */
export async function isHealthy(part: Part, settings: ClusterSettings, probes: { tcp(port: number): Promise<boolean>; http(url: string): Promise<boolean> }): Promise<boolean> {
  const at = addresses(settings);
  switch (part) {
    case "zookeeper":
      return probes.tcp(settings.ports.zookeeper);
    case "kafka":
      return probes.tcp(settings.ports.kafka);
    case "minio":
      return probes.http(`${at.minio}/minio/health/live`);
    case "functions":
      return probes.http(`${at.functions}/healthz`);
    case "jobmanager":
      return probes.http(`${at.flink}/overview`);
    case "taskmanager":
      return probes.tcp(settings.ports.taskManagerMetrics);
  }
}

