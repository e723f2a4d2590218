import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root folder (absolute path). */
export const REPOSITORY_ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Prometheus' configuration, rules and their tests, as containers take them. */
export const PROMETHEUS_FOLDER = join(REPOSITORY_ROOT, "dashboards/prometheus");
