import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { PROMETHEUS_FOLDER } from "../../process/repository-root.js";
import { clusterSettings } from "../settings.js";
import { prometheusFiles, renderPrometheus } from "./render-prometheus.js";

const settings = clusterSettings({ portOffset: 20_000 });
const original = readFileSync(join(PROMETHEUS_FOLDER, "prometheus.yml"), "utf8");

interface Config {
  readonly global: { readonly scrape_interval: string };
  readonly rule_files: readonly string[];
  readonly scrape_configs: readonly {
    readonly job_name: string;
    readonly static_configs: readonly { readonly targets: readonly string[] }[];
    readonly metric_relabel_configs?: readonly unknown[];
  }[];
}

describe("prometheus.yml of a native cluster", () => {
  it("scrapes its ports and keeps the rest", () => {
    const rendered = parse(renderPrometheus(original, settings)) as Config;
    const before = parse(original) as Config;
    expect(rendered.scrape_configs.map(({ job_name: job, static_configs: [first] }) => [job, first!.targets])).toEqual([
      ["jobmanager", ["127.0.0.1:29249"]],
      ["taskmanager", ["127.0.0.1:29250"]],
      ["functions", ["127.0.0.1:28000"]],
      ["intake", ["127.0.0.1:28080"]],
    ]);
    // No name from the container network is left.
    expect(rendered.scrape_configs.filter((scrape) => "dns_sd_configs" in scrape)).toEqual([]);
    expect(rendered.scrape_configs.map(({ metric_relabel_configs: relabel }) => relabel)).toEqual(
      before.scrape_configs.map(({ metric_relabel_configs: relabel }) => relabel),
    );
    expect(rendered).toMatchObject({ global: before.global, rule_files: before.rule_files });
  });

  it("refuses a target that it would not replace", () => {
    expect(() => renderPrometheus(original.replace("intake:8080", "ingress:8080"), settings)).toThrow(
      /has no ingress:8080, only master:9249/,
    );
    expect(() => renderPrometheus(original.replace("names: [worker]", "names: [workers]"), settings)).toThrow(
      /has no workers:9249/,
    );
  });

  it("scrapes as often as a test wants, with the rules that it has edited", () => {
    const files = prometheusFiles(settings, { interval: "1s" }, (text) => text.replaceAll(/for: .*/g, "for: 2s"));
    expect([...files.keys()]).toEqual(["prometheus.yml", "rules/fraud.yml"]);
    expect((parse(files.get("prometheus.yml")!) as Config).global.scrape_interval).toBe("1s");
    expect(files.get("rules/fraud.yml")).not.toMatch(/for: \d+m/);
  });
});
