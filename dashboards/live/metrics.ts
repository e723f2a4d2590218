import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";

import { type ConsumerHealth, consumerMetrics } from "../../kafka/consumer-health.js";

export interface MetricSources {
  readonly streams: () => number;
  readonly droppedStreams: () => number;
  readonly alerts: () => number;
  readonly decisions: () => number;
  readonly unreadable: () => number;
  readonly consumers: () => readonly ConsumerHealth[];
  readonly counts: () => Readonly<Record<"sent" | "decided" | "duplicates" | "missing" | "waiting", number>>;
}

/** What the web app counts, for Prometheus. */
export function dashboardMetrics(sources: MetricSources): {
  readonly registry: Registry;
  readonly verdicts: Counter<"verdict">;
  readonly refused: Counter<"why">;
} {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  consumerMetrics(registry, sources.consumers);
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name: `dashboard_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  };
  gauge("streams", "Open event streams", sources.streams);
  gauge("dropped_streams", "Event streams that were ended because they were too slow", sources.droppedStreams);
  gauge("alerts", "Alerts that are kept", sources.alerts);
  gauge("decisions", "Decisions that are kept for accounts", sources.decisions);
  gauge("unreadable_records", "Records that could not be read", sources.unreadable);
  gauge("transactions_sent", "Transactions that came since the start", () => sources.counts().sent);
  gauge("transactions_decided", "Of these, decided", () => sources.counts().decided);
  gauge("transactions_waiting", "Of these, not decided yet", () => sources.counts().waiting);
  gauge(
    "transactions_missing",
    "Of these, passed by a later one of their account, or overdue",
    () => sources.counts().missing,
  );
  gauge("decisions_duplicate", "Decisions on what was decided before", () => sources.counts().duplicates);
  return {
    registry,
    verdicts: new Counter({
      name: "dashboard_verdicts_total",
      help: "Verdicts that analysts gave",
      labelNames: ["verdict"] as const,
      registers: [registry],
    }),
    refused: new Counter({
      name: "dashboard_refused_total",
      help: "Requests that were refused",
      labelNames: ["why"] as const,
      registers: [registry],
    }),
  };
}
