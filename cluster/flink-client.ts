import { type FlinkClient, flinkClientAt } from "../flink/flink.js";
import { addresses } from "./addresses.js";
import type { ClusterSettings } from "./settings.js";

/** Asks Flink of a cluster. */
export const flinkClient = (settings: ClusterSettings): FlinkClient => flinkClientAt(addresses(settings).flink);
