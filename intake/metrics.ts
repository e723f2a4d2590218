import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";

import { type ConsumerHealth, consumerMetrics } from "../kafka/consumer-health.js";
import type { GroupLag } from "../kafka/group-lag.js";
import { IntakeReason } from "../protos/gen/fraud/v1/intake.js";
import type { ModelsInForce } from "../protos/gen/fraud/v1/models.js";
import type { InputKind } from "./admission.js";
import { LabelQuality } from "./label-quality.js";
import { reasonName } from "./problem.js";
import type { KnownRoom } from "./room/room-watch.js";
import { DOORS } from "./topics.js";

const DOOR_NAMES = ["http", "kafka"] as const;
export type DoorName = (typeof DOOR_NAMES)[number];

/**
 * Why a request is answered with 429 or 503: Kafka lags or is away; the pipeline is too far behind; Kafka has no room;
 * too many wait; too many bytes of bodies are held.
 */
const TURNED_AWAY_REASONS = ["kafka", "backlog", "room", "waiting", "bodies"] as const;
export type TurnedAwayReason = (typeof TURNED_AWAY_REASONS)[number];

/** What an intake counts, for Prometheus. */
export interface IntakeMetrics {
  admitted(kind: InputKind, door: DoorName, count?: number): void;
  refused(kind: InputKind, door: DoorName, reason: string): void;
  /** Requests that were turned away with 429 or 503. */
  turnedAway(reason: TurnedAwayReason): void;
  /** Connections that were closed because there were too many: to make room for others, or immediately. */
  connectionDropped(): void;
  /** Offsets of a topic that were taken in, and that Kafka has removed to make room. */
  cut(topic: string, offsets: number): void;
}

/** Values that are looked up at each scrape. */
export interface IntakeGauges {
  readonly queuedBytes: () => number;
  /** Values that are not known now are left out. */
  readonly lag: () => Promise<readonly GroupLag[]>;
  /** Undefined when it is not known now. */
  readonly backlogSeconds: () => number | undefined;
  /** Undefined when it is not known now. */
  readonly room: () => KnownRoom | undefined;
  readonly consumers: () => readonly ConsumerHealth[];
  /** Undefined when none was put in force. */
  readonly models?: () => ModelsInForce | undefined;
  /** Default: of nothing. */
  readonly quality?: LabelQuality;
}

export function intakeMetrics({
  queuedBytes,
  lag,
  backlogSeconds,
  room,
  consumers,
  models,
  quality = new LabelQuality(0),
}: IntakeGauges): {
  metrics: IntakeMetrics;
  registry: Registry;
} {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  consumerMetrics(registry, consumers);
  const admitted = new Counter({
    name: "intake_admitted_total",
    help: "Inputs that were written to a *.valid topic",
    labelNames: ["kind", "door"] as const,
    registers: [registry],
  });
  const refused = new Counter({
    name: "intake_refused_total",
    help: "Inputs that were refused",
    labelNames: ["kind", "door", "reason"] as const,
    registers: [registry],
  });
  const turnedAway = new Counter({
    name: "intake_turned_away_total",
    help: "HTTP requests answered with 429, or for want of room in Kafka with 503",
    labelNames: ["reason"] as const,
    registers: [registry],
  });
  const dropped = new Counter({
    name: "intake_dropped_connections_total",
    help: "HTTP connections closed, as there were too many",
    registers: [registry],
  });
  const cut = new Counter({
    name: "intake_cut_offsets_total",
    help: "Offsets where clients write that were taken in, and that the intake had Kafka remove to keep a partition within its bound",
    labelNames: ["topic"] as const,
    registers: [registry],
  });
  new Gauge({
    name: "intake_queued_bytes",
    help: "Bytes that Kafka has not acknowledged yet",
    registers: [registry],
    collect() {
      this.set(queuedBytes());
    },
  });
  new Gauge({
    name: "intake_model_in_force",
    help: "1: transactions are stamped with this model, as champion or challenger. Without one the function servers score by their own default",
    labelNames: ["role", "id", "hash"] as const,
    registers: [registry],
    collect() {
      this.reset();
      const newest = models?.();
      if (newest === undefined) return;
      const { modelHash, modelId, challengerHash, challengerId } = newest;
      if (modelHash.length > 0) this.set({ role: "champion", id: modelId, hash: modelHash.toString("hex") }, 1);
      if (challengerHash.length > 0)
        this.set({ role: "challenger", id: challengerId, hash: challengerHash.toString("hex") }, 1);
    },
  });
  new Gauge({
    name: "intake_labelled_transactions",
    help: "Transactions with a verdict, by it and by what was decided; of the newest. UNKNOWN: the decision is not among the newest",
    labelNames: ["verdict", "outcome"] as const,
    registers: [registry],
    collect() {
      for (const { verdict, outcome, count } of quality.counts) this.set({ verdict, outcome }, count);
    },
  });
  new Gauge({
    name: "intake_unlabelled_suspicious",
    help: "Suspicious transactions without a verdict, of the newest",
    registers: [registry],
    collect() {
      this.set(quality.unlabelledSuspicious);
    },
  });
  new Gauge({
    name: "intake_backlog_seconds",
    help: "How long a transaction that comes through Kafka now would wait there until the pipeline has committed it; NaN when that is not known",
    registers: [registry],
    collect() {
      this.set(backlogSeconds() ?? NaN);
    },
  });
  const roomGauge = (name: string, help: string, valueOf: (known: KnownRoom) => number | undefined): void =>
    void new Gauge({
      name,
      help: `${help}; NaN when that is not known`,
      registers: [registry],
      collect() {
        const known = room();
        this.set((known && valueOf(known)) ?? NaN);
      },
    });
  roomGauge("kafka_disk_bytes", "Size of the disk that Kafka's logs are on", ({ disk }) => disk?.totalBytes);
  roomGauge("kafka_disk_free_bytes", "What is free on that disk", ({ disk }) => disk?.freeBytes);
  roomGauge(
    "kafka_undecided_share",
    "What is not decided, as a share of what Kafka keeps of a partition; of the fullest. At 0.5 the doors close",
    ({ undecidedShare }) => undecidedShare,
  );
  new Gauge({
    name: "kafka_log_bytes",
    help: "Size of a topic's logs",
    labelNames: ["topic"] as const,
    registers: [registry],
    collect() {
      this.reset();
      for (const [topic, bytes] of room()?.logBytes ?? []) this.set({ topic }, bytes);
    },
  });
  new Gauge({
    name: "kafka_group_lag",
    help: "Offsets of a partition that a consumer group has yet to commit",
    labelNames: ["group", "topic", "partition"] as const,
    registers: [registry],
    async collect() {
      this.reset();
      for (const { group, topic, partition, offsets } of await lag())
        this.set({ group, topic, partition }, Number(offsets));
    },
  });
  // From the start, so that the first of a kind shows as a rise and not as a new series.
  for (const reason of TURNED_AWAY_REASONS) turnedAway.inc({ reason }, 0);
  for (const [kind, { in: source }] of Object.entries(DOORS)) {
    cut.inc({ topic: source.name }, 0);
    for (const door of DOOR_NAMES) {
      admitted.inc({ kind, door }, 0);
      for (const reason of REASONS) refused.inc({ kind, door, reason }, 0);
    }
  }
  return {
    metrics: {
      admitted: (kind, door, count = 1) => admitted.inc({ kind, door }, count),
      refused: (kind, door, reason) => refused.inc({ kind, door, reason }),
      turnedAway: (reason) => turnedAway.inc({ reason }),
      connectionDropped: () => dropped.inc(),
      cut: (topic, offsets) => cut.inc({ topic }, offsets),
    },
    registry,
  };
}

const REASONS = Object.values(IntakeReason)
  .filter((reason) => typeof reason === "number")
  .filter((reason) => reason !== IntakeReason.UNSPECIFIED)
  .map(reasonName);
