import { readFileSync } from "node:fs";
import { join } from "node:path";

import { given } from "../../process/environment.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";

/** What `.env` says, overridden by this program's environment, as docker compose sees it. */
export function composeEnv(
  text = readFileSync(join(REPOSITORY_ROOT, ".env"), "utf8"),
  env: NodeJS.ProcessEnv = process.env,
): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  const over = given(env);
  for (const line of text.split("\n")) {
    const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
    if (name !== undefined) values[name] = over[name] ?? value!.trim();
  }
  return values;
}

/** Images made by others, by their variable in `.env`; {@link OWN_IMAGES} are built from this repository. */
export const IMAGE_NAMES = [
  "STATEFUN_IMAGE",
  "KAFKA_IMAGE",
  "ZOOKEEPER_IMAGE",
  "MINIO_IMAGE",
  "HAPROXY_IMAGE",
  "NODE_IMAGE",
  "JDK_IMAGE",
  "K6_IMAGE",
  "PROMETHEUS_IMAGE",
  "GRAFANA_IMAGE",
] as const;
export type ImageName = (typeof IMAGE_NAMES)[number];
/** Those of services without a profile. The others are not needed: commands run their own k6. */
export const PIPELINE_IMAGES: readonly ImageName[] = IMAGE_NAMES.filter(
  (name) => !["K6_IMAGE", "PROMETHEUS_IMAGE", "GRAFANA_IMAGE"].includes(name),
);
/** Each with its target in the Dockerfile. */
export const OWN_IMAGES = { FRAUD_IMAGE: "servers", FRAUD_COMMANDS_IMAGE: "commands" } as const;
export type OwnImageName = keyof typeof OWN_IMAGES;
export const OWN_IMAGE_NAMES = Object.keys(OWN_IMAGES) as OwnImageName[];
