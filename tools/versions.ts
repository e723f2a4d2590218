/**
 * The versions of every part, in one place. StateFun 3.3.0 is the last Apache release and is built for Flink 1.16.2; a
 * few of Flink's own modules are not published at 1.16.2, and the nearest patch release of those works with its
 * runtime.
 */
export const VERSIONS = {
  kafka: "3.9.1",
  flink: "1.16.2",
  flinkContainer: "1.16.0",
  flinkPrometheus: "1.16.1",
  flinkS3: "1.16.3",
  statefun: "3.3.0",
  log4j: "2.17.2",
  /** The container image's version; the native cluster runs the one in Flink's own jars. */
  zookeeper: "3.8.4",
  /** The newest commit before the repository was archived. */
  minio: "v0.0.0-20260212201848-7aac2a2c5b7c",
  k6: "v1.8.1",
} as const;

/**
 * The lines of Node that this project promises to run on: for the oldest its first suitable version (`engines`), for
 * the others a recent one.
 */
export const NODE_VERSIONS = { "20": "20.19.0", "22": "22.23.3", "24": "24.21.0" } as const;
export type NodeMajor = keyof typeof NODE_VERSIONS;
export const NODE_MAJORS = Object.keys(NODE_VERSIONS) as NodeMajor[];

/** The oldest Java that Kafka 3.9 and our reader run on, and the one that this set of Flink options is made for. */
export const JAVA_MAJOR = 17;
/** What MinIO's module asks for. */
export const GO_MINIMUM = "1.24";

/** One folder of jars: Maven coordinates `group:artifact:version`, with `!` in front: without its dependencies. */
export type JarSet = "kafka" | "flink" | "flink-s3" | "statefun-image" | "zookeeper";

/** Needed only by stand-ins for container images: see `cluster/images/`. */
export const IMAGE_JAR_SETS = ["statefun-image", "zookeeper"] as const satisfies readonly JarSet[];

export const JAR_SETS: Record<JarSet, readonly string[]> = {
  kafka: [
    `org.apache.kafka:kafka_2.13:${VERSIONS.kafka}`,
    `org.apache.kafka:kafka-tools:${VERSIONS.kafka}`,
    "org.slf4j:slf4j-simple:1.7.36",
  ],
  flink: [
    `org.apache.flink:flink-clients:${VERSIONS.flink}`,
    `org.apache.flink:flink-streaming-java:${VERSIONS.flink}`,
    `org.apache.flink:flink-runtime:${VERSIONS.flink}`,
    `org.apache.flink:flink-runtime-web:${VERSIONS.flink}`,
    `org.apache.flink:flink-statebackend-rocksdb:${VERSIONS.flink}`,
    `!org.apache.flink:flink-container:${VERSIONS.flinkContainer}`,
    `!org.apache.flink:flink-metrics-prometheus:${VERSIONS.flinkPrometheus}`,
    `!org.apache.flink:statefun-flink-distribution:${VERSIONS.statefun}`,
    `org.apache.logging.log4j:log4j-slf4j-impl:${VERSIONS.log4j}`,
    `org.apache.logging.log4j:log4j-core:${VERSIONS.log4j}`,
  ],
  // Its launcher wants the core in its own jar.
  "statefun-image": [`!org.apache.flink:statefun-flink-core:${VERSIONS.statefun}`],
  zookeeper: [
    `org.apache.zookeeper:zookeeper:${VERSIONS.zookeeper}`,
    "io.dropwizard.metrics:metrics-core:4.1.12.1",
    "org.xerial.snappy:snappy-java:1.1.10.5",
  ],
  // A plugin: Flink loads it with its own class loader.
  "flink-s3": [`!org.apache.flink:flink-s3-fs-presto:${VERSIONS.flinkS3}`],
};
