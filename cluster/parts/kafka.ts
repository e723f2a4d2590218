import { join } from "node:path";

import { HOST } from "../../contract/ports.js";
import { JAVA_VARIABLES } from "../../process/environment.js";
import { classArchiveOptions } from "../../tools/class-archives.js";
import { properties } from "../../tools/file-names.js";
import { kafkaClasspath } from "../../tools/index.js";
import type { ClusterSettings } from "../settings.js";
import { compilerOptions, EXIT_ON_ERROR, type PartProgram, write } from "./part-program.js";

/** Kafka's storage; it must be formatted once. */
export const kafkaData = ({ dataDir }: ClusterSettings): string => join(dataDir, "kafka");
export const kafkaConf = ({ dataDir }: ClusterSettings): string => join(dataDir, "conf", "kafka.properties");

/** The broker's settings; docker-compose.yml has the same. */
export function kafkaProperties(settings: ClusterSettings): Record<string, string | number> {
  const { ports } = settings;
  return {
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
    // What the egress asks for (module.yaml) must be below.
    "transaction.max.timeout.ms": 7 * 24 * 3_600_000,
    "group.initial.rebalance.delay.ms": 0,
    "num.network.threads": 2,
    "num.io.threads": 2,
    "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
    "log.cleaner.threads": 1,
    // A killed broker reads its logs again when it starts: with small segments that is quick.
    "log.segment.bytes": 64 * 1024 * 1024,
    // How often it looks for segments that can go; the intake waits as long to see what a log still holds.
    "log.retention.check.interval.ms": 10_000,
    "controlled.shutdown.max.retries": 1,
    // A killed broker that comes back is refused until its previous session has expired; the default is 9 s.
    "broker.session.timeout.ms": 3_000,
    "broker.heartbeat.interval.ms": 500,
    // By default the controller writes twice a second that it has nothing to write.
    "metadata.max.idle.interval.ms": 10_000,
  };
}

export function kafka(settings: ClusterSettings): PartProgram {
  const { memoryMb, kafkaEnv } = settings;
  return {
    command: "java",
    args: [
      `-Xms${memoryMb.kafka}m`,
      `-Xmx${memoryMb.kafka}m`,
      "-XX:+UseSerialGC",
      ...compilerOptions(settings),
      ...classArchiveOptions("kafka"),
      EXIT_ON_ERROR,
      "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
      "-cp",
      kafkaClasspath(),
      "kafka.Kafka",
      kafkaConf(settings),
    ],
    env: kafkaEnv,
    foreign: JAVA_VARIABLES,
    ports: ["kafka", "kafkaController"],
    prepare: () => write(kafkaConf(settings), properties(kafkaProperties(settings))),
  };
}
