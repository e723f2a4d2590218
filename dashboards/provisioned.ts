import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { PROMETHEUS_FOLDER, REPOSITORY_ROOT } from "../process/repository-root.js";

/** A query of a panel. */
export interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
  readonly datasource: { readonly type: string; readonly uid: string };
}

/** A panel as far as this project's checks read it. */
export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  /** None for a row. */
  readonly targets?: readonly Target[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
}

/** A dashboard's file as far as this project's checks read it. */
export interface Dashboard {
  readonly file: string;
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly annotations: {
    readonly list: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
  };
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly definition: string;
      readonly datasource: { readonly uid: string };
    }[];
  };
}

/** A rule that records, or one that alerts. */
export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: { readonly severity: string };
  readonly annotations?: { readonly summary: string; readonly runbook_url: string };
}

const GRAFANA = join(REPOSITORY_ROOT, "dashboards/grafana");

/** Every dashboard that Grafana is provisioned with. */
export function dashboards(): Dashboard[] {
  const folder = join(GRAFANA, "dashboards");
  return readdirSync(folder).map((file) => ({
    ...(JSON.parse(readFileSync(join(folder, file), "utf8")) as Omit<Dashboard, "file">),
    file,
  }));
}

/** The uids of the data sources that Grafana is provisioned with. */
export function datasourceUids(): string[] {
  const file = parse(readFileSync(join(GRAFANA, "provisioning/datasources/prometheus.yml"), "utf8")) as {
    readonly datasources: readonly { readonly uid: string }[];
  };
  return file.datasources.map(({ uid }) => uid);
}

/** Every rule of Prometheus, recording ones too. */
export function rules(): Rule[] {
  const folder = join(PROMETHEUS_FOLDER, "rules");
  return readdirSync(folder).flatMap((name) =>
    (
      parse(readFileSync(join(folder, name), "utf8")) as {
        readonly groups: readonly { readonly rules: readonly Rule[] }[];
      }
    ).groups.flatMap((group) => group.rules),
  );
}

/**
 * A query as Grafana would send it, with all functions chosen.
 *
 * @param rateInterval - what `$__rate_interval` is, such as `30s`
 */
export const filledIn = (expr: string, rateInterval: string): string =>
  expr.replaceAll("$__rate_interval", rateInterval).replaceAll("$function", ".*");

/** The metrics and recorded series that a query is made of. */
export function metricsIn(expr: string): string[] {
  const bare = expr
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]|"[^"]*"/g, " ")
    .replaceAll(/\b(?:by|without|on|ignoring)\s*\([^)]*\)/g, " ");
  return [
    ...new Set(
      [...bare.matchAll(/(?<![\w:])([a-zA-Z_:][\w:]*)(?!\s*\()/g)]
        .map(([, name]) => name!)
        .filter((name) =>
          /^(?:flink_|statefun_|fraud[_:]|intake_|kafka_|group_topic:|process_|nodejs_|up$)/.test(name),
        ),
    ),
  ];
}
