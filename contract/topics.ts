import { LIMITS } from "./limits.js";

export interface TopicSettings {
  readonly name: string;
  /** Fixed for good: another count would move keys to other partitions and break their order. */
  readonly partitions: number;
  /** How long records are kept, in milliseconds. */
  readonly retentionMs: number;
  /**
   * Its oldest records stay however much comes after them; else they go beyond {@link RETENTION_BYTES}. Where strangers
   * write, what has not been taken in must not go because of what they write: there the intake has removed what was.
   * What is compacted needs none.
   */
  readonly unbounded?: true;
  /** The largest batch of records that it takes, in bytes. Default: the broker's, 1 MiB. */
  readonly batchBytes?: number;
  /** Whose clock a record's timestamp is. Default: the producer's. */
  readonly timestamps?: "broker";
  /** The newest record of each key is kept for good, whatever {@link retentionMs} says. */
  readonly compacted?: true;
}

/** How many bytes of a partition are kept, unless it is set otherwise. */
export const RETENTION_BYTES = 2 ** 30;

const DAY_MS = 24 * 60 * 60 * 1000;
const topic = (name: string, more: Partial<TopicSettings> = {}): TopicSettings => ({
  name,
  partitions: 4,
  retentionMs: 7 * DAY_MS,
  ...more,
});
/** A refused record holds the original, which may be as large as the broker takes. */
const REFUSED_BYTES = 2 * 1024 * 1024;

/**
 * Every Kafka topic. Anyone may write anything to `transactions` and `labels`; the broker stamps their records, so
 * that what the clock decides about one stays decided. `*.valid` hold bare protobuf messages and are StateFun's only
 * ingresses. Every other topic's record value is a protobuf Any. In `models` stands which ones are in force.
 */
export const TOPICS = {
  transactions: topic("transactions", { timestamps: "broker", unbounded: true }),
  labels: topic("labels", { timestamps: "broker", unbounded: true }),
  transactionsValid: topic("transactions.valid", { batchBytes: LIMITS.recordBytes }),
  labelsValid: topic("labels.valid", { batchBytes: LIMITS.recordBytes }),
  transactionsRejected: topic("transactions.rejected", { batchBytes: REFUSED_BYTES }),
  labelsRejected: topic("labels.rejected", { batchBytes: REFUSED_BYTES }),
  decisions: topic("decisions"),
  evidence: topic("evidence"),
  alerts: topic("alerts"),
  functionsRejected: topic("functions.rejected"),
  models: topic("models", { partitions: 1, compacted: true, unbounded: true }),
} as const satisfies Record<string, TopicSettings>;

/** Topics that the StateFun egress writes in transactions: read them with `read_committed`. */
export const OUTPUT_TOPICS = [TOPICS.decisions, TOPICS.evidence, TOPICS.alerts, TOPICS.functionsRejected] as const;

/** The key of every record of `models`: the newest holds. */
export const IN_FORCE_KEY = "in-force";

/**
 * The consumer group of both ingresses (`module.yaml`). It commits with each checkpoint, for people to see; a restart
 * reads on from the checkpoint.
 */
export const PIPELINE_GROUP = "fraud-pipeline";

/** The consumer group of the intake's Kafka doors. */
export const INTAKE_GROUP = "fraud-intake";
