import { setTimeout as delay } from "node:timers/promises";

import { TOPICS } from "../../contract/topics.js";
import { withAdmin } from "../../kafka/client.js";
import { beginningHealth, type ConsumerHealth } from "../../kafka/consumer-health.js";
import { type Follower, followTopics, type LiveRecord } from "../../kafka/consumer.js";
import { backFromEnd } from "../../kafka/offsets.js";
import type { Dashboard } from "./state/dashboard.js";

/** Offsets that are read back of each topic, all its partitions together; transactions' markers take some of them. */
export interface FeedBounds {
  readonly alerts: number;
  readonly decisions: number;
  readonly transactions: number;
  readonly labels: number;
  readonly evidence: number;
}

export interface FeedOptions {
  readonly brokers: string;
  readonly dashboard: Dashboard;
  readonly bounds: FeedBounds;
  readonly onError: (error: Error) => void;
}

/** When nothing has come for this long, what was there has been read, except for transaction markers. */
const QUIET_MS = 1_500;
const RETRY_MS = 2_000;
/** A committed reader has nothing to gain from asking more often: transactions end once a second. */
const COMMITTED_WAIT_MS = 100;
/** First-visible latencies are measured to within this. */
const WRITTEN_WAIT_MS = 25;
/** Larger answers, fewer of them: what matters at a thousand a second. */
const MIN_BYTES = 64 * 1024;

type Offsets = ReadonlyMap<string, Map<number, bigint>>;

/**
 * Feeds a {@link Dashboard} from the topics: a bounded stretch of their past first, then what comes. Begins as soon as
 * Kafka is there.
 */
export class Feed {
  readonly #options: FeedOptions;
  readonly #end = new AbortController();
  readonly #behind = new Set<string>();
  #next = new Map<string, Map<number, bigint>>();
  #nextWritten = new Map<number, bigint>();
  #ends: Offsets = new Map();
  #lastAtMs = Date.now();
  #started = false;
  #caughtUp = false;
  #readers: Follower[] = [];
  /** Why it has not begun to read. */
  #cause: string | undefined;
  #attempts = 0;
  readonly #startedMs = performance.now();

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Whether the topics' past has been read. */
  get caughtUp(): boolean {
    return this.#caughtUp;
  }

  /** Of its readers; before there are any, of itself. */
  get health(): ConsumerHealth[] {
    if (this.#readers.length > 0) return this.#readers.map((reader) => reader.health);
    const beginning = beginningHealth("topics", this.#startedMs);
    return [{ ...beginning, failing: this.#cause ?? beginning.failing, restarts: Math.max(0, this.#attempts - 1) }];
  }

  /** Reads until it is stopped. Does not wait for Kafka. */
  start(): void {
    void this.#run();
  }

  /** To be called now and then: notices when nothing more of the past comes. */
  tick(nowMs: number): void {
    if (this.#caughtUp || !this.#started) return;
    if (this.#behind.size > 0 && nowMs - this.#lastAtMs < QUIET_MS) return;
    this.#caughtUp = true;
    this.#options.dashboard.caughtUp();
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#stopReaders();
  }

  async #run(): Promise<void> {
    while (!this.#end.signal.aborted) {
      this.#attempts++;
      try {
        await this.#follow();
        this.#cause = undefined;
        return;
      } catch (error) {
        if (this.#end.signal.aborted) return;
        const cause = error instanceof Error ? error : new Error(String(error));
        this.#cause = cause.message;
        this.#options.onError(cause);
        await pause(RETRY_MS, this.#end.signal);
      }
    }
  }

  async #follow(): Promise<void> {
    const { brokers, dashboard, onError } = this.#options;
    if (!this.#started) await this.#look();
    const take = (record: LiveRecord): void => {
      const { topic, partition, offset } = record;
      this.#next.get(topic)?.set(partition, offset + 1n);
      const end = this.#ends.get(topic)?.get(partition) ?? 0n;
      if (offset + 1n >= end) this.#behind.delete(`${topic}-${partition}`);
      this.#lastAtMs = record.arrivedAtMs;
      dashboard.onRecord({ ...record, earlier: offset < end });
    };
    // What was there when this server started is gone: all that comes is news.
    const onNewLog = (topic: string, partition: number): void => {
      this.#ends.get(topic)?.delete(partition);
      this.#behind.delete(`${topic}-${partition}`);
      this.#next.get(topic)?.delete(partition);
    };
    const committed = [
      TOPICS.decisions,
      TOPICS.alerts,
      TOPICS.evidence,
      TOPICS.functionsRejected,
      TOPICS.labelsValid,
    ].map(({ name }) => name);
    const valid = TOPICS.transactionsValid.name;
    const written = TOPICS.decisions.name;
    const readers = await Promise.allSettled([
      followTopics({
        brokers,
        topics: committed,
        from: only(this.#next, committed),
        maxWaitMs: COMMITTED_WAIT_MS,
        minBytes: MIN_BYTES,
        onRecord: take,
        onNewLog,
        name: "committed records",
        onError,
      }),
      followTopics({
        brokers,
        topics: [valid, written],
        from: new Map([
          [valid, new Map(this.#next.get(valid))],
          [written, new Map(this.#nextWritten)],
        ]),
        // Nothing of what the intake writes can be aborted.
        isolation: "read_uncommitted",
        maxWaitMs: WRITTEN_WAIT_MS,
        minBytes: MIN_BYTES,
        onRecord: (record) => {
          if (record.topic === valid) return take(record);
          this.#nextWritten.set(record.partition, record.offset + 1n);
          dashboard.onWritten(record);
        },
        onNewLog: (topic, partition) =>
          topic === valid ? onNewLog(topic, partition) : void this.#nextWritten.delete(partition),
        name: "written records",
        onError,
      }),
    ]);
    this.#readers = readers.flatMap((reader) => (reader.status === "fulfilled" ? [reader.value] : []));
    const failed = readers.find((reader) => reader.status === "rejected");
    if (failed === undefined && !this.#end.signal.aborted) return;
    await this.#stopReaders();
    if (failed !== undefined) throw failed.reason;
  }

  /** Finds out where the topics end, and where to begin. */
  async #look(): Promise<void> {
    const { brokers, bounds } = this.#options;
    const back = new Map<string, number>([
      [TOPICS.alerts.name, bounds.alerts],
      [TOPICS.decisions.name, bounds.decisions],
      [TOPICS.transactionsValid.name, bounds.transactions],
      [TOPICS.labelsValid.name, bounds.labels],
      [TOPICS.evidence.name, bounds.evidence],
      [TOPICS.functionsRejected.name, 0],
    ]);
    const next = new Map<string, Map<number, bigint>>();
    const ends = new Map<string, Map<number, bigint>>();
    await withAdmin(brokers, async (admin) => {
      for (const [topic, offsets] of back) {
        const partitions = await admin.fetchTopicOffsets(topic);
        const each = BigInt(Math.ceil(offsets / partitions.length));
        ends.set(topic, new Map(partitions.map(({ partition, high }) => [partition, BigInt(high)])));
        next.set(topic, new Map(partitions.map((limits) => [limits.partition, backFromEnd(limits, each)])));
        for (const { partition, high } of partitions)
          if (BigInt(high) > next.get(topic)!.get(partition)!) this.#behind.add(`${topic}-${partition}`);
      }
    });
    this.#next = next;
    this.#ends = ends;
    this.#nextWritten = new Map(ends.get(TOPICS.decisions.name));
    this.#lastAtMs = Date.now();
    this.#started = true;
  }

  async #stopReaders(): Promise<void> {
    await Promise.all(this.#readers.splice(0).map((reader) => reader.stop().catch(() => undefined)));
  }
}

const only = (offsets: Offsets, topics: readonly string[]): Offsets =>
  new Map(topics.map((topic) => [topic, new Map(offsets.get(topic))]));

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
