import { collectDefaultMetrics, Counter, Histogram, Registry } from "prom-client";

import type { CounterName, Metrics } from "./dependencies.js";

const COUNTERS: Record<CounterName, string> = {
  transactions: "Transactions numbered by the account counter",
  repeats: "Repeated transactions dropped",
  stale_labels: "Labels dropped: repeated, or of a revision that no longer matters",
  rejected: "Records refused by the account counter",
  overtook: "Scoring requests that came before their turn",
  resent: "Scoring requests sent again because the waiting list was full",
  stale_scoring_requests: "Scoring requests for a number that was decided; exactly-once messaging rules them out",
  alerts: "Alerts raised",
  function_errors: "Errors that ended in a decision with the outcome ERROR",
};

/** Prometheus metrics of the function server. They count attempts: a call that StateFun repeats counts again. */
export function serverMetrics(): { metrics: Metrics; registry: Registry } {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counters = Object.fromEntries(
    Object.entries(COUNTERS).map(([name, help]) => [name, new Counter({ name: `fraud_${name}_total`, help, registers: [registry] })]),
  ) as Record<CounterName, Counter>;
  const waiting = new Histogram({
    name: "fraud_scorer_waiting_length",
    help: "Length of an account's waiting list when a transaction joins it",
    buckets: [1, 2, 5, 10, 20, 50, 100, 200],
    registers: [registry],
  });
  return {
    registry,
    metrics: {
      count: (name) => counters[name].inc(),
      waiting: (length) => waiting.observe(length),
    },
  };
}
