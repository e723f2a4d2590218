import { createHash } from "node:crypto";
import { cpSync, existsSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { given } from "../../process/environment.js";
import { UserError } from "../../terminal/user-error.js";
import { jarFolder, k6Program, minioProgram, prometheusForImage } from "../../tools/index.js";
import { VERSIONS } from "../../tools/versions.js";
import type { ImageName } from "../compose/compose-env.js";

/** How one image is made from what package registries offer. */
export interface StandIn {
  /** Its folder beside this file, with a Dockerfile. */
  readonly folder: string;
  /** What the image's files depend on: if this text changes, so does the image. */
  readonly from: () => readonly string[];
  /** Puts what the Dockerfile copies into the folder `files`. */
  readonly fill: (files: string) => void;
}

const copy = (from: string, to: string, filter: (file: string) => boolean = () => true): void =>
  cpSync(from, to, { recursive: true, dereference: true, filter });

/** npm's folder of the Node that runs this. */
function npmFolder(): string {
  const candidates = [
    join(dirname(process.execPath), "../lib/node_modules/npm"),
    join(dirname(process.execPath), "node_modules/npm"),
  ];
  for (const candidate of candidates) {
    try {
      return realpathSync(candidate);
    } catch {
      continue;
    }
  }
  throw new UserError(`npm is not where this Node (${process.execPath}) should have it: ${candidates.join(", ")}`);
}

/**
 * Certificates that this machine trusts: behind its network's own gateway, npm needs them while the image is built,
 * too.
 */
function trusted(): string {
  const file = [given()["NODE_EXTRA_CA_CERTS"], "/etc/ssl/certs/ca-certificates.crt"].find(
    (name) => name !== undefined && existsSync(name),
  );
  return file === undefined ? "" : readFileSync(file, "utf8");
}

/**
 * Grafana's pages are in no package registry, and building them takes its whole repository: where its image cannot be
 * pulled, there is none.
 */
export type WithoutStandIn = "GRAFANA_IMAGE";

/** Stand-ins for other people's images that docker-compose.yml names: the same contract, from package registries. */
export const STAND_INS: Readonly<Record<Exclude<ImageName, WithoutStandIn>, StandIn>> = {
  STATEFUN_IMAGE: {
    folder: "statefun",
    from: () => [jarFolder("flink"), jarFolder("flink-s3"), jarFolder("statefun-image")],
    fill: (files) => {
      copy(jarFolder("flink"), join(files, "flink/lib"));
      // The launcher looks for this name.
      copy(
        join(jarFolder("statefun-image"), `statefun-flink-core-${VERSIONS.statefun}.jar`),
        join(files, "flink/lib/statefun-flink-core.jar"),
      );
      copy(jarFolder("flink-s3"), join(files, "flink/plugins/s3-fs-presto"));
    },
  },
  KAFKA_IMAGE: {
    folder: "kafka",
    from: () => [jarFolder("kafka")],
    fill: (files) => copy(jarFolder("kafka"), join(files, "kafka/libs"), (file) => !file.includes("slf4j-simple")),
  },
  ZOOKEEPER_IMAGE: {
    folder: "zookeeper",
    from: () => [jarFolder("zookeeper")],
    fill: (files) => copy(jarFolder("zookeeper"), join(files, "lib")),
  },
  MINIO_IMAGE: {
    folder: "minio",
    from: () => [minioProgram()],
    fill: (files) => copy(minioProgram(), join(files, "minio")),
  },
  HAPROXY_IMAGE: { folder: "haproxy", from: () => [], fill: () => undefined },
  NODE_IMAGE: {
    folder: "node",
    from: () => [process.version, createHash("sha256").update(trusted()).digest("hex")],
    fill: (files) => {
      copy(process.execPath, join(files, "node"));
      copy(npmFolder(), join(files, "npm"));
      writeFileSync(join(files, "trusted.crt"), trusted());
    },
  },
  JDK_IMAGE: { folder: "jdk", from: () => [], fill: () => undefined },
  K6_IMAGE: { folder: "k6", from: () => [k6Program()], fill: (files) => copy(k6Program(), join(files, "k6")) },
  PROMETHEUS_IMAGE: {
    folder: "prometheus",
    from: () => [prometheusForImage()],
    fill: (files) => copy(prometheusForImage(), files),
  },
};
