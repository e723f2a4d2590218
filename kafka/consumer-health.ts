import { Counter, Gauge, type Registry } from "prom-client";

/** How a consumer is. */
export interface ConsumerHealth {
  /** For people and as a metric's label, such as `Kafka doors`. */
  readonly consumer: string;
  /** Why it does not read what it should; undefined when it does, or is about to. */
  readonly failing: string | undefined;
  /** How often it was begun anew since the program started. */
  readonly restarts: number;
  /** Batches that could not be unpacked or read, and were passed over. */
  readonly unreadable: number;
}

/** A consumer that fails, as an HTTP answer tells it. */
export interface FailingConsumer {
  readonly consumer: string;
  readonly cause: string;
  readonly restarts: number;
}

/** A consumer that has not begun to read after this long is considered failing. */
const BEGIN_LIMIT_MS = 60_000;

/**
 * Of a consumer that is still being begun.
 *
 * @param sinceMs - by `performance.now()`
 */
export function beginningHealth(consumer: string, sinceMs: number, nowMs = performance.now()): ConsumerHealth {
  const seconds = Math.floor((nowMs - sinceMs) / 1_000);
  return {
    consumer,
    failing: nowMs - sinceMs < BEGIN_LIMIT_MS ? undefined : `it has not begun to read for ${seconds} s`,
    restarts: 0,
    unreadable: 0,
  };
}

/** Those that fail. */
export const failingConsumers = (health: readonly ConsumerHealth[]): FailingConsumer[] =>
  health.flatMap(({ consumer, failing, restarts }) =>
    failing === undefined ? [] : [{ consumer, cause: failing, restarts }],
  );

/** The answer to `GET /healthz`: 200, or 503 with why. */
export function healthAnswer(health: readonly ConsumerHealth[]): {
  readonly status: 200 | 503;
  readonly body:
    { readonly status: "ok" } | { readonly status: "failing"; readonly failing: readonly FailingConsumer[] };
} {
  const failing = failingConsumers(health);
  return failing.length === 0
    ? { status: 200, body: { status: "ok" } }
    : { status: 503, body: { status: "failing", failing } };
}

/** Tells Prometheus how a program's consumers are. */
export function consumerMetrics(registry: Registry, health: () => readonly ConsumerHealth[]): void {
  const labelNames = ["consumer"] as const;
  new Gauge({
    name: "kafka_consumer_failing",
    help: "1 while a consumer does not read what it should; GET /healthz says why",
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      for (const { consumer, failing } of health()) this.set({ consumer }, failing === undefined ? 0 : 1);
    },
  });
  const counter = (name: string, help: string, count: (one: ConsumerHealth) => number) =>
    new Counter({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const one of health()) this.inc({ consumer: one.consumer }, count(one));
      },
    });
  counter("kafka_consumer_restarts_total", "How often a consumer was begun anew", ({ restarts }) => restarts);
  counter(
    "kafka_consumer_unreadable_batches_total",
    "Batches that could not be unpacked or read, and were passed over",
    ({ unreadable }) => unreadable,
  );
}
