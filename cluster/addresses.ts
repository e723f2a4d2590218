import type { ClusterSettings } from "./settings.js";

/** Where the parts of a cluster are reached: on loopback, unless its settings say otherwise. */
export interface Addresses {
  /** `host:port`, as Kafka clients want it. */
  readonly kafka: string;
  readonly zookeeper: string;
  /** URLs without a slash at the end. */
  readonly flink: string;
  readonly functions: string;
  readonly intake: string;
  readonly dashboard: string;
  readonly minio: string;
}

export const HOST = "127.0.0.1";

export function addresses({ ports, addresses: given }: ClusterSettings): Addresses {
  return given ?? {
    kafka: `${HOST}:${ports.kafka}`,
    zookeeper: `${HOST}:${ports.zookeeper}`,
    flink: `http://${HOST}:${ports.flinkRest}`,
    intake: `http://${HOST}:${ports.intake}`,
    dashboard: `http://${HOST}:${ports.dashboard}`,
    functions: `http://${HOST}:${ports.functions}`,
    minio: `http://${HOST}:${ports.minio}`,
  };
}
