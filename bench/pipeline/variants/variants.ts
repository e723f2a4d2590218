import { join } from "node:path";

import { withModule } from "../../../cluster/module-changes.js";
import { type Application, type ClusterOptions, FRAUD_DETECTION, nodeServer } from "../../../cluster/settings.js";
import { type Transport, TRANSPORTS, withTransport } from "../../../cluster/transports.js";
import { REPOSITORY_ROOT } from "../../../process/repository-root.js";

const HERE = join(REPOSITORY_ROOT, "bench/pipeline/variants");

/** By what a record of the load is addressed: StateFun calls the function whose id is the record's key. */
export type RecordKey = "account" | "transaction";

/** A pipeline that is measured. */
export interface Variant {
  readonly description: string;
  readonly recordKey: RecordKey;
  /** About what 2 cores may hold, transactions a second: where the search begins. */
  readonly firstRate: number;
  /**
   * Its cluster.
   *
   * @param options - what all clusters of the measurement have
   * @param folder - for changed files, for as long as the cluster runs
   */
  readonly options: (options: ClusterOptions, folder: string) => ClusterOptions;
}

/** Ours, called by one of the transports. */
const ofTransport = (transport: Transport, firstRate: number): Variant => ({
  description: TRANSPORTS[transport].description,
  recordKey: "account",
  firstRate,
  options: (options, folder) => withTransport(transport, options, folder),
});

const application = (variant: "official-sdk" | "workshop"): Application => ({
  ...FRAUD_DETECTION,
  moduleFile: join(HERE, `${variant}.yaml`),
  servers: {
    ...FRAUD_DETECTION.servers,
    functions: { ...nodeServer(join(HERE, "server.ts")), env: { BENCH_VARIANT: variant } },
  },
});

/** What can be compared. */
export const VARIANTS = {
  batching: {
    ...ofTransport("batching", 2_500),
    description: "this project as it is: its SDK, the batching transport, module.yaml and flink-conf.yaml",
  },
  async: {
    ...ofTransport("async", 200),
    description:
      "this project's defaults before the batching transport: StateFun's async transport, 32,768 calls of a task, 1,000 messages waiting for an address, RocksDB, no debloating of buffers, a parallelism of 2",
    options: (options, folder) => ({ ...withTransport("async", options, folder), parallelism: 2 }),
  },
  "async-tuned": {
    ...ofTransport("async-tuned", 250),
    description:
      "StateFun's async transport with the settings that help: 1,024 calls of a task, 300 messages waiting for an address, calls that may take 40 s and connect within 5 s, state on the heap, debloated buffers",
  },
  "official-sdk": {
    description:
      "the same four functions on Apache's JavaScript SDK 3.3.0, served as its README has it, under StateFun's defaults: its async transport without settings, 32,768 calls of a task, 1,000 messages waiting for an address; Flink, with state on the heap, as for batching",
    recordKey: "account",
    firstRate: 250,
    options: (options) => ({
      ...options,
      application: application("official-sdk"),
      flinkConf: { ...options.flinkConf, "statefun.async.max-per-task": "32768" },
    }),
  },
  workshop: {
    description:
      "the scatter-gather topology of Ververica's fraud detection workshop, a transaction manager for each transaction, on Apache's JavaScript SDK over the async transport, as the original (in Python) has it, with its 100,000 calls of a task and RocksDB; this project's features, model and protobuf messages, exactly once",
    recordKey: "transaction",
    firstRate: 120,
    options: (options) => ({
      ...options,
      application: application("workshop"),
      stateBackend: "rocksdb",
      flinkConf: { ...options.flinkConf, "statefun.async.max-per-task": "100000" },
    }),
  },
  "at-least-once": {
    description: "batching, but the egress writes at least once, without Kafka's transactions",
    recordKey: "account",
    firstRate: 2_500,
    options: (options, folder) => ({
      ...options,
      application: withModule(options.application ?? FRAUD_DETECTION, folder, {
        "io.statefun.kafka.v1/egress": { deliverySemantic: { type: "at-least-once" } },
      }),
    }),
  },
} as const satisfies Record<string, Variant>;
export type VariantName = keyof typeof VARIANTS;
export const VARIANT_NAMES = Object.keys(VARIANTS) as VariantName[];

/** Those whose rates are compared with each other; the others show what one setting of `batching` costs. */
export const PEERS = VARIANT_NAMES.filter((name) => name !== "at-least-once");
