import { type FlinkClient, flinkClientAt } from "../flink/flink.js";
import { endpoints } from "./endpoints.js";
import type { ClusterSettings } from "./settings.js";

/** A client of a cluster's Flink. */
export const flinkClient = (settings: ClusterSettings): FlinkClient => flinkClientAt(endpoints(settings).flink);
