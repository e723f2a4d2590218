import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { PROMETHEUS_FOLDER, REPOSITORY_ROOT } from "../process/repository-root.js";
import { dashboards, datasourceUids, filledIn, metricsIn, type Panel, rules } from "./provisioned.js";

const all = dashboards();
const alerts = rules().filter(({ alert }) => alert !== undefined);

describe.each(all)("the dashboard $title", ({ panels, templating, annotations }) => {
  const shown = panels.filter(({ type }) => type !== "row");

  it("asks the provisioned data source, each question once a panel", () => {
    const uids = datasourceUids();
    for (const { title, targets } of shown) {
      expect(targets?.length, title).toBeGreaterThan(0);
      expect(new Set(targets!.map(({ refId }) => refId)).size, title).toBe(targets!.length);
      for (const { datasource, expr } of targets!) {
        expect(uids, title).toContain(datasource.uid);
        expect(metricsIn(expr), title).not.toEqual([]);
      }
    }
    for (const { datasource } of [...templating.list, ...annotations.list]) expect(uids).toContain(datasource.uid);
  });

  it("says of each panel what it shows, and in which unit", () => {
    for (const { title, description, fieldConfig } of shown) {
      expect(description?.length ?? 0, title).toBeGreaterThan(10);
      expect(fieldConfig?.defaults.unit, title).toBeTruthy();
    }
    expect(new Set(shown.map(({ title }) => title)).size).toBe(shown.length);
  });

  it("has its panels beside each other", () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const overlap = ({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean =>
      a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
    for (const [n, panel] of panels.entries()) {
      expect(panel.gridPos.x + panel.gridPos.w).toBeLessThanOrEqual(24);
      for (const other of panels.slice(n + 1))
        expect(overlap(panel, other), `${panel.title}, ${other.title}`).toBe(false);
    }
  });

  it("uses only variables that it has", () => {
    const known = ["__rate_interval", ...templating.list.map(({ name }) => name)];
    for (const { title, targets } of shown)
      for (const { expr } of targets!)
        for (const [, name] of expr.matchAll(/\$(\w+)/g)) expect(known, title).toContain(name);
  });
});

describe("alert rules", () => {
  it("each have a section in the runbook, and each section a rule", () => {
    const runbook = readFileSync(join(REPOSITORY_ROOT, "docs/operations.md"), "utf8");
    for (const { alert, annotations, labels } of alerts) {
      expect(annotations!.runbook_url, alert).toBe(`docs/operations.md#${alert!.toLowerCase()}`);
      expect(runbook, alert).toContain(`\n### ${alert}\n`);
      expect(["page", "warning"], alert).toContain(labels!.severity);
    }
    const [, section] = runbook.split("\n## Alerts\n");
    const named = [...section!.split("\n## ")[0]!.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
    expect(named.sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  });

  it("are all tested by promtool", () => {
    const tests = readFileSync(join(PROMETHEUS_FOLDER, "tests/fraud.yml"), "utf8");
    const fired = new Set([...tests.matchAll(/alertname: (\w+)\n\s+exp_alerts:\n/g)].map(([, name]) => name));
    expect([...fired].sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  });
});

describe("a query", () => {
  it("is filled in as Grafana does it", () => {
    expect(filledIn('rate(a_total{function=~"$function"}[$__rate_interval])', "30s")).toBe(
      'rate(a_total{function=~".*"}[30s])',
    );
  });

  it("gives away its metrics", () => {
    expect(
      metricsIn('sum by (fraud_x) (rate(fraud_a_total{job="intake_b"}[1m])) / (up > bool 0) or fraud:r:rate1m'),
    ).toEqual(["fraud_a_total", "up", "fraud:r:rate1m"]);
  });
});
