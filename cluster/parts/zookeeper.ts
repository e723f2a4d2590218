import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { HOST } from "../../contract/ports.js";
import { JAVA_VARIABLES } from "../../process/environment.js";
import { classArchiveOptions } from "../../tools/class-archives.js";
import { fileUri, properties } from "../../tools/file-names.js";
import { classpath } from "../../tools/index.js";
import type { ClusterSettings } from "../settings.js";
import { EXIT_ON_ERROR, log4j, type PartProgram, QUICK_START, write } from "./part-program.js";

/** Where ZooKeeper keeps its data; the guard of the stores looks here. */
export const zookeeperData = ({ dataDir }: ClusterSettings): string => join(dataDir, "zookeeper");

export function zookeeper(settings: ClusterSettings): PartProgram {
  const { dataDir, ports, memoryMb } = settings;
  const conf = join(dataDir, "conf", "zookeeper.properties");
  const logging = join(dataDir, "conf", "log4j-zookeeper.properties");
  return {
    command: "java",
    args: [
      `-Xmx${memoryMb.zookeeper}m`,
      "-XX:+UseSerialGC",
      QUICK_START,
      ...classArchiveOptions("zookeeper"),
      EXIT_ON_ERROR,
      `-Dlog4j.configurationFile=${fileUri(logging)}`,
      "-cp",
      classpath("flink"),
      "org.apache.flink.runtime.zookeeper.FlinkZooKeeperQuorumPeer",
      "--zkConfigFile",
      conf,
      "--peerId",
      "1",
    ],
    env: {},
    foreign: JAVA_VARIABLES,
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
          "4lw.commands.whitelist": "srvr",
        }),
      );
    },
  };
}
