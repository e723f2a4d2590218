import { type FlinkClient, flinkClientAt } from "../flink/flink.js";
import { addresses } from "./endpoints.js";
import type { ClusterSettings } from "./settings.js";

/** Asks Flink of a cluster. */
export const flinkClient = (settings: ClusterSettings): FlinkClient => flinkClientAt(addresses(settings).flink);
