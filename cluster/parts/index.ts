import type { ClusterSettings, Part } from "../settings.js";
import { jobManager, taskManager } from "./flink.js";
import { kafka } from "./kafka.js";
import { minio } from "./minio.js";
import type { PartProgram } from "./part-program.js";
import { server } from "./server.js";
import { zookeeper } from "./zookeeper.js";

export { kafkaConf, kafkaData } from "./kafka.js";
export { zookeeperData } from "./zookeeper.js";

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
    case "functions-python":
    case "intake":
    case "dashboard":
      return server(part, settings);
    case "jobmanager":
      return jobManager(settings);
    case "taskmanager":
      return taskManager(settings);
  }
}
