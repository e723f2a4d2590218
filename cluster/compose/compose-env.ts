import { readFileSync } from "node:fs";
import { join } from "node:path";

import { given } from "../environment.js";
import { REPOSITORY_ROOT } from "../settings.js";

/** What `.env` says, and this program's environment over it: as docker compose sees it. */
export function composeEnv(text = readFileSync(join(REPOSITORY_ROOT, ".env"), "utf8"), env: NodeJS.ProcessEnv = process.env): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  const over = given(env);
  for (const line of text.split("\n")) {
    const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
    if (name !== undefined) values[name] = over[name] ?? value!.trim();
  }
  return values;
}

/** Images of others, by their variable in `.env`; {@link OWN_IMAGE} is built from this repository. */
export const IMAGE_NAMES = ["STATEFUN_IMAGE", "KAFKA_IMAGE", "ZOOKEEPER_IMAGE", "MINIO_IMAGE", "HAPROXY_IMAGE", "NODE_IMAGE", "JDK_IMAGE", "K6_IMAGE", "PROMETHEUS_IMAGE", "GRAFANA_IMAGE"] as const;
export type ImageName = (typeof IMAGE_NAMES)[number];
/** Those without a profile. Of the others nothing is needed: commands run their own k6. */
export const PIPELINE_IMAGES: readonly ImageName[] = IMAGE_NAMES.filter((name) => !["K6_IMAGE", "PROMETHEUS_IMAGE", "GRAFANA_IMAGE"].includes(name));
export const OWN_IMAGE = "FRAUD_IMAGE";
