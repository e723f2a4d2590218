import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { kafkaProperties } from "../parts/kafka.js";
import { log4j } from "../parts/part-program.js";
import { BASE_PORTS, clusterSettings, REPOSITORY_ROOT } from "../settings.js";
import { VERSIONS } from "../versions.js";
import { composeEnv, IMAGE_NAMES, OWN_IMAGE } from "./compose-env.js";

interface Service {
  readonly image: string;
  readonly build?: unknown;
  readonly user?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly mem_limit?: string;
  readonly environment?: Readonly<Record<string, string | number | null>>;
  readonly healthcheck?: unknown;
  readonly restart?: string;
}

const read = (file: string): string => readFileSync(join(REPOSITORY_ROOT, file), "utf8");
const { services } = parse(read("docker-compose.yml"), { merge: true, maxAliasCount: -1 }) as { readonly services: Readonly<Record<string, Service>> };
const env = composeEnv(read(".env"), {});

describe("docker-compose.yml", () => {
  it("takes every image from .env, pinned", () => {
    for (const [name, { image }] of Object.entries(services)) expect(image, name).toMatch(/^\$\{[A-Z0-9_]+_IMAGE\}$/);
    for (const name of [...IMAGE_NAMES, OWN_IMAGE]) expect(env[name], name).toMatch(/:(?!latest$)[\w.-]*\d[\w.-]*$/);
    const named = new Set(Object.values(services).map(({ image }) => image.slice(2, -1)));
    // The Node image is what this repository's own is built from.
    expect([...named, "NODE_IMAGE"].sort()).toEqual([...IMAGE_NAMES, OWN_IMAGE].sort());
  });

  it("opens ports on loopback only, limits memory, and looks after the health of what goes on", () => {
    for (const [name, { ports = [], mem_limit, healthcheck, restart }] of Object.entries(services)) {
      for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:/);
      expect(mem_limit, name).toMatch(/^\d+[mg]$/);
      // These two have no door of their own to knock at.
      if (restart === "unless-stopped" && !["generator", "console"].includes(name)) expect(healthcheck, name).toBeDefined();
    }
  });

  it("mounts what is there", () => {
    for (const { volumes = [] } of Object.values(services)) for (const volume of volumes) if (volume.startsWith("./")) expect(existsSync(join(REPOSITORY_ROOT, volume.split(":")[0]!)), volume).toBe(true);
  });

  it("has the ports, keys and versions of the native cluster", () => {
    const { objectStore } = clusterSettings();
    expect(env).toMatchObject({
      INTAKE_PORT: String(BASE_PORTS.intake),
      DASHBOARD_PORT: String(BASE_PORTS.dashboard),
      FUNCTIONS_PORT: String(BASE_PORTS.functions),
      FLINK_PORT: String(BASE_PORTS.flinkRest),
      KAFKA_PORT: String(BASE_PORTS.kafka),
      MINIO_PORT: String(BASE_PORTS.minio),
      MINIO_ACCESS_KEY: objectStore.accessKey,
      MINIO_SECRET_KEY: objectStore.secretKey,
      KAFKA_IMAGE: `apache/kafka:${VERSIONS.kafka}`,
      STATEFUN_IMAGE: `apache/flink-statefun:${VERSIONS.statefun}-java11`,
      ZOOKEEPER_IMAGE: `zookeeper:${VERSIONS.zookeeper}`,
      K6_IMAGE: `grafana/k6:${VERSIONS.k6.slice(1)}`,
    });
  });

  it("gives Kafka the native broker's settings", () => {
    const settings = services["kafka"]!.environment!;
    const native = kafkaProperties(clusterSettings());
    // Where it is reached and where it keeps its data differ.
    const places = /listener|log\.dirs|voters/;
    for (const [key, value] of Object.entries(native)) if (!places.test(key)) expect(String(settings[`KAFKA_${key.toUpperCase().replaceAll(".", "_")}`]), key).toBe(String(value));
  });

  it("logs as the native processes do", () => {
    expect(read("cluster/compose/log4j-console.properties")).toContain(`\n${log4j("info")}`);
  });
});
