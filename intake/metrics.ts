import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";

import type { InputKind } from "./admission.js";

export type DoorName = "http" | "kafka";

/** What an intake counts, for Prometheus. */
export interface IntakeMetrics {
  admitted(kind: InputKind, door: DoorName, count?: number): void;
  refused(kind: InputKind, door: DoorName, reason: string): void;
  /** Requests that were turned away with 429. */
  turnedAway(): void;
  /** Connections that were closed at once: there were too many. */
  connectionDropped(): void;
}

/** @param queuedBytes - asked at each scrape */
export function intakeMetrics(queuedBytes: () => number): { metrics: IntakeMetrics; registry: Registry } {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const admitted = new Counter({ name: "intake_admitted_total", help: "Inputs that were written to a *.valid topic", labelNames: ["kind", "door"] as const, registers: [registry] });
  const refused = new Counter({ name: "intake_refused_total", help: "Inputs that were refused", labelNames: ["kind", "door", "reason"] as const, registers: [registry] });
  const turnedAway = new Counter({ name: "intake_turned_away_total", help: "HTTP requests answered with 429", registers: [registry] });
  const dropped = new Counter({ name: "intake_dropped_connections_total", help: "HTTP connections closed at once, as there were too many", registers: [registry] });
  new Gauge({
    name: "intake_queued_bytes",
    help: "Bytes that Kafka has not acknowledged yet",
    registers: [registry],
    collect() {
      this.set(queuedBytes());
    },
  });
  return {
    metrics: {
      admitted: (kind, door, count = 1) => admitted.inc({ kind, door }, count),
      refused: (kind, door, reason) => refused.inc({ kind, door, reason }),
      turnedAway: () => turnedAway.inc(),
      connectionDropped: () => dropped.inc(),
    },
    registry,
  };
}
