export { endpoints } from "./endpoints.js";
export { type Cluster, type ClusterEvent, describe } from "./cluster.js";
export { flinkClient } from "./flink-client.js";
export type { RunningCluster } from "./running-cluster.js";
export { clusterSettings } from "./settings.js";
export { startCluster } from "./start-cluster.js";
