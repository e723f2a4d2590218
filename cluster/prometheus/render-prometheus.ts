import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse, stringify } from "yaml";

import { BASE_PORTS, HOST, type PortName } from "../../contract/ports.js";
import { PROMETHEUS_FOLDER } from "../../process/repository-root.js";
import { UserError } from "../../terminal/user-error.js";
import type { ClusterSettings } from "../settings.js";

/**
 * Where each part is scraped in the container network, by its service or alias. There the TaskManager has the same port
 * as the JobManager, on another host.
 */
const TARGETS: ReadonlyMap<string, PortName> = new Map([
  [`master:${BASE_PORTS.jobManagerMetrics}`, "jobManagerMetrics"],
  [`worker:${BASE_PORTS.jobManagerMetrics}`, "taskManagerMetrics"],
  [`function-servers:${BASE_PORTS.functions}`, "functions"],
  [`intake:${BASE_PORTS.intake}`, "intake"],
]);

interface PrometheusConfig {
  readonly global: object;
  readonly rule_files: readonly string[];
  readonly scrape_configs: readonly ScrapeConfig[];
}

interface ScrapeConfig {
  readonly job_name: string;
  readonly static_configs?: readonly { readonly targets: readonly string[] }[];
  /** Services that may have several containers. */
  readonly dns_sd_configs?: readonly { readonly names: readonly string[]; readonly port: number }[];
}

/** How often Prometheus scrapes, such as `1s`; default: as the file says. */
export interface PrometheusTimes {
  readonly interval?: string;
}

/**
 * `prometheus.yml` with loopback endpoints.
 *
 * @throws {UserError} when it scrapes something that the native cluster does not have
 */
export function renderPrometheus(text: string, { ports }: ClusterSettings, { interval }: PrometheusTimes = {}): string {
  const config = parse(text) as PrometheusConfig;
  return stringify(
    {
      ...config,
      global: {
        ...config.global,
        ...(interval !== undefined && {
          scrape_interval: interval,
          scrape_timeout: interval,
          evaluation_interval: interval,
        }),
      },
      scrape_configs: config.scrape_configs.map(
        ({ static_configs: fixed = [], dns_sd_configs: looked = [], ...scrape }) => ({
          ...scrape,
          static_configs: [
            {
              targets: [
                ...fixed.flatMap(({ targets }) => targets),
                ...looked.flatMap(({ names, port }) => names.map((name) => `${name}:${port}`)),
              ].map((target) => {
                const port = TARGETS.get(target);
                if (port === undefined)
                  throw new UserError(
                    `prometheus.yml: the native cluster has no ${target}, only ${[...TARGETS.keys()].join(", ")}.`,
                  );
                return `${HOST}:${ports[port]}`;
              }),
            },
          ],
        }),
      ),
    },
    // A regular expression stays on one line.
    { lineWidth: 0 },
  );
}

/**
 * The files below {@link PROMETHEUS_FOLDER} that this cluster's Prometheus runs with, by path.
 *
 * @param editRules - for tests
 */
export function prometheusFiles(
  settings: ClusterSettings,
  times: PrometheusTimes = {},
  editRules: (text: string) => string = (text) => text,
): Map<string, string> {
  const read = (path: string): string => readFileSync(join(PROMETHEUS_FOLDER, path), "utf8");
  const rules = readdirSync(join(PROMETHEUS_FOLDER, "rules")).map((name) => `rules/${name}`);
  return new Map([
    ["prometheus.yml", renderPrometheus(read("prometheus.yml"), settings, times)],
    ...rules.map((path): [string, string] => [path, editRules(read(path))]),
  ]);
}
