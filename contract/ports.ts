/** Where every part listens on this machine. */
export const HOST = "127.0.0.1";

/** Ports in a container network. On this machine each is moved by the offset that it is started with. */
export const BASE_PORTS = {
  zookeeper: 2181,
  zookeeperPeer: 2888,
  zookeeperElection: 3888,
  kafka: 9092,
  kafkaController: 9093,
  minio: 9000,
  minioConsole: 9001,
  functions: 8000,
  "functions-python": 8001,
  intake: 8080,
  dashboard: 8090,
  flinkRest: 8081,
  jobManagerRpc: 6123,
  jobManagerBlob: 6124,
  jobManagerMetrics: 9249,
  taskManagerMetrics: 9250,
  prometheus: 9090,
  grafana: 3000,
} as const;
/** Beyond it ports would come to lie above 32767, where Linux takes the near ends of outgoing connections from. */
export const MAX_PORT_OFFSET = 23_000;
export type PortName = keyof typeof BASE_PORTS;

/** Every port of a system on this machine. @param offset - added to each. Default 0 */
export const portsAt = (offset = 0): Readonly<Record<PortName, number>> =>
  Object.fromEntries(Object.entries(BASE_PORTS).map(([name, port]) => [name, port + offset])) as Record<
    PortName,
    number
  >;

/** Where the parts of a system are reached. */
export interface Endpoints {
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

/** On loopback, at these ports. */
export const endpointsAt = (ports: Readonly<Record<PortName, number>>): Endpoints => ({
  kafka: `${HOST}:${ports.kafka}`,
  zookeeper: `${HOST}:${ports.zookeeper}`,
  flink: `http://${HOST}:${ports.flinkRest}`,
  intake: `http://${HOST}:${ports.intake}`,
  dashboard: `http://${HOST}:${ports.dashboard}`,
  functions: `http://${HOST}:${ports.functions}`,
  minio: `http://${HOST}:${ports.minio}`,
});
