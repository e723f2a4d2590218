import { type ModuleChanges, withModule } from "./module-changes.js";
import { type ClusterOptions, FRAUD_DETECTION } from "./settings.js";

const ENDPOINT = "io.statefun.endpoints.v2/http";

interface Variant {
  readonly description: string;
  /** Changes to `module.yaml`. */
  readonly module: ModuleChanges;
  /** Changes to the cluster's settings. */
  readonly options: Pick<ClusterOptions, "flinkConf" | "stateBackend" | "checkpointIntervalMs">;
}

/**
 * StateFun's own transport, with the settings from before there was another: a connection for each of up to 1,024 calls
 * per function type and subtask.
 */
const ASYNC = { type: "io.statefun.transports.v1/async", timeouts: { call: "40s", connect: "5s" } };

/** How StateFun calls the functions, by the name that options and reports use. */
export const TRANSPORTS = {
  batching: { description: "as module.yaml and flink-conf.yaml have it", module: {}, options: {} },
  "async-tuned": {
    description: "StateFun's async transport, under the bounds that flink-conf.yaml has now",
    module: { [ENDPOINT]: { transport: ASYNC } },
    options: {},
  },
  async: {
    description: "StateFun's async transport and Flink as they were set before calls were bounded",
    module: { [ENDPOINT]: { maxNumBatchRequests: 1000, transport: ASYNC } },
    options: {
      stateBackend: "rocksdb",
      checkpointIntervalMs: 1_000,
      flinkConf: {
        "statefun.async.max-per-task": "32768",
        "execution.buffer-timeout": "10ms",
        "state.backend.rocksdb.writebuffer.size": "64mb",
        "taskmanager.network.memory.buffer-debloat.enabled": "false",
        "execution.checkpointing.min-pause": "200ms",
        "state.checkpoint-storage": "filesystem",
        "execution.checkpointing.timeout": "60s",
        "execution.checkpointing.tolerable-failed-checkpoints": "20",
      },
    },
  },
} as const satisfies Record<string, Variant>;
export type Transport = keyof typeof TRANSPORTS;
export const TRANSPORT_NAMES = Object.keys(TRANSPORTS) as Transport[];

/**
 * A cluster's options with another transport, over whatever they already have; `batching` changes nothing.
 *
 * @param folder - where the changed `module.yaml` goes, for as long as the cluster runs
 */
export function withTransport(transport: Transport, options: ClusterOptions, folder: string): ClusterOptions {
  const { module, options: changes }: Variant = TRANSPORTS[transport];
  return {
    ...options,
    ...changes,
    ...(Object.keys(module).length > 0 && {
      application: withModule(options.application ?? FRAUD_DETECTION, folder, module),
    }),
    flinkConf: { ...options.flinkConf, ...changes.flinkConf },
  };
}
