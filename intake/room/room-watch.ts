import type { GroupLag } from "../../kafka/group-lag.js";
import { type LogDirs, partitionKey } from "../../kafka/log-dirs.js";
import { Sampler } from "../sampler.js";
import { type Room, RoomGate, type Shortage } from "./room-gate.js";

const SAMPLE_MS = 2_000;
/** Settings of topics change rarely. */
const SETTINGS_MS = 60_000;

export interface RoomWatchOptions {
  /** What groups have yet to read. */
  readonly lag: () => Promise<readonly GroupLag[]>;
  readonly logDirs: () => Promise<LogDirs | undefined>;
  /** `retention.bytes` of the topics that have it. */
  readonly retentionBytes: () => Promise<ReadonlyMap<string, number>>;
  /** Nothing is taken while less of the broker's disk is free; 0: however little is. */
  readonly minFreeBytes: number;
  /** In ms; never goes back. */
  readonly nowMs?: () => number;
}

/** What a {@link RoomWatch} knows, for metrics. */
export interface KnownRoom {
  readonly disk: LogDirs["disk"];
  /** Bytes of logs by topic. */
  readonly logBytes: ReadonlyMap<string, number>;
  /** The largest share of a partition's bound that is undecided; 0 without any bound. */
  readonly undecidedShare: number;
}

interface Known {
  readonly room: Room;
  readonly figures: KnownRoom;
}

/** Knows how much room Kafka has: asks the broker every other second. */
export class RoomWatch {
  readonly #options: RoomWatchOptions;
  readonly #nowMs: () => number;
  readonly #gate: RoomGate;
  readonly #sampler: Sampler<Known>;
  #retention: ReadonlyMap<string, number> = new Map();
  #retentionAtMs = -Infinity;

  constructor(options: RoomWatchOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#gate = new RoomGate(options.minFreeBytes);
    this.#sampler = new Sampler({
      everyMs: SAMPLE_MS,
      take: () => this.#take(),
      onAttempt: (known) => this.#gate.update(known?.room),
      nowMs: this.#nowMs,
    });
  }

  /** Why nothing more may be taken in; undefined when it may. */
  get shortage(): Shortage | undefined {
    return this.#gate.shortage;
  }

  /** Undefined when it is not known now. */
  get figures(): KnownRoom | undefined {
    return this.#sampler.known?.figures;
  }

  start(): void {
    this.#sampler.start();
  }

  stop(): void {
    this.#sampler.stop();
  }

  /** As {@link Sampler.sample}. */
  async sample(): Promise<void> {
    await this.#sampler.sample();
  }

  async #take(): Promise<Known | undefined> {
    const { lag, logDirs, retentionBytes } = this.#options;
    const nowMs = this.#nowMs();
    if (nowMs - this.#retentionAtMs > SETTINGS_MS) {
      this.#retention = await retentionBytes();
      this.#retentionAtMs = nowMs;
    }
    const [lags, dirs] = await Promise.all([lag(), logDirs()]);
    if (dirs === undefined) return undefined;
    const undecided = lags.flatMap(({ topic, partition, offsets, records }) => {
      const retained = this.#retention.get(topic);
      const size = dirs.logBytes.get(partitionKey(topic, partition));
      if (retained === undefined || size === undefined) return [];
      // As if all of a partition's records were of one size.
      const bytes = records === 0n ? 0 : (size * Number(offsets)) / Number(records);
      return [{ topic, partition, bytes, retentionBytes: retained }];
    });
    const logBytes = new Map<string, number>();
    for (const [key, bytes] of dirs.logBytes) {
      const topic = key.slice(0, key.lastIndexOf("/"));
      logBytes.set(topic, (logBytes.get(topic) ?? 0) + bytes);
    }
    return {
      room: { freeBytes: dirs.disk?.freeBytes, undecided },
      figures: {
        disk: dirs.disk,
        logBytes,
        undecidedShare: Math.max(0, ...undecided.map(({ bytes, retentionBytes: bound }) => bytes / bound)),
      },
    };
  }
}
