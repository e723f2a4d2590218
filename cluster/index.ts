export { type Addresses, addresses } from "./addresses.js";
export { type Cluster, type ClusterEvent, describe } from "./cluster.js";
export { type FlinkClient, flinkClient } from "./flink.js";
export { type RawRecord, readTopics } from "./java-reader.js";
export { poll } from "./poll.js";
export type { RunningCluster } from "./running-cluster.js";
export { clusterSettings } from "./settings.js";
export { startCluster } from "./start-cluster.js";
export { silentStep, type Step } from "./steps.js";
