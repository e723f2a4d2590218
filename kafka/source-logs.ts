import type { RecordPosition } from "../contract/raw-record.js";
import type { TopicIdsByName } from "./topic-ids.js";

/** Where a consumer has come to in a partition, and what was noted beside. */
export interface CommittedPosition extends RecordPosition {
  /** Of the next record; negative: nothing is committed. */
  readonly offset: bigint;
  /** The log in which that offset counts, by {@link noteOf}; `null` or empty: not noted. */
  readonly metadata: string | null;
}

export interface SourceLogsOptions {
  /** The ids of the source topics as they are after the call: see {@link TopicIds}. */
  readonly ids: () => Promise<TopicIdsByName>;
  /** Where the consumer begins when it has joined: what its group has committed, or what it kept itself. */
  readonly committed: () => Promise<readonly CommittedPosition[]>;
  /**
   * Makes the consumer read a partition from there on, and forget what it has fetched from it.
   *
   * @param log - that the offset counts in
   */
  readonly seek: (topic: string, partition: number, offset: bigint, log: Buffer) => void;
}

/**
 * Knows of each partition that is read in which log its position counts, and so which log a record came from.
 *
 * A consumer goes by names: when a topic is deleted and made again between two of its requests, it goes on in the new
 * log at the offset that it had in the old one, and says nothing. So the topic's id is looked at after each fetch and
 * before what was fetched is used. Ids never come back: when it is the one of before the fetch, the log was there all
 * the time, and the records are of it. When it is another, the position is worth nothing, and the new log is read from
 * its beginning. The id goes with each committed offset, too, because a commit goes by the name as well and may reach
 * the new topic.
 */
export class SourceLogs {
  readonly #options: SourceLogsOptions;
  #assigned: readonly (readonly [topic: string, partition: number])[] = [];
  /** By partition: the id of the log that its position counts in. */
  #positions = new Map<string, Buffer>();
  #loading: Promise<void> | undefined;
  #membership = 0;

  constructor(options: SourceLogsOptions) {
    this.#options = options;
  }

  /** The consumer has joined its group (again), and begins where {@link SourceLogsOptions.committed} says. */
  joined(assignment: Readonly<Record<string, readonly number[]>>): void {
    this.#assigned = Object.entries(assignment).flatMap(([topic, partitions]) =>
      partitions.map((partition): [string, number] => [topic, partition]),
    );
    this.#positions = new Map();
    this.#loading = undefined;
    this.#membership++;
  }

  /**
   * The id of the log that a batch came from which has just been fetched; `undefined`: nobody can say any more, and the
   * partition is read from its beginning instead.
   *
   * @throws when no broker answers
   */
  async logOf(topic: string, partition: number): Promise<Buffer | undefined> {
    await this.#loaded();
    const now = (await this.#options.ids()).get(topic);
    const position = this.#positions.get(keyOf(topic, partition));
    // Deleted and not made again: what was in it counts.
    if (now === undefined) return position;
    return this.#agree(topic, partition, now) ? now : undefined;
  }

  /**
   * Looks whether a topic was made again, also while nothing comes from it: a new log that is just as long as the
   * position in the old one looks like one without news.
   *
   * @throws when no broker answers
   */
  async look(): Promise<void> {
    if (this.#assigned.length === 0) return;
    await this.#loaded();
    const membership = this.#membership;
    const ids = await this.#options.ids();
    if (membership !== this.#membership) return;
    for (const [topic, partition] of this.#assigned) {
      const now = ids.get(topic);
      if (now !== undefined) this.#agree(topic, partition, now);
    }
  }

  /** Whether the position counts in the log that has the name now; if not, it is given up. */
  #agree(topic: string, partition: number, now: Buffer): boolean {
    const key = keyOf(topic, partition);
    const position = this.#positions.get(key);
    if (position?.equals(now) === true) return true;
    this.#positions.set(key, now);
    this.#options.seek(topic, partition, 0n, now);
    return false;
  }

  #loaded(): Promise<void> {
    if (this.#loading === undefined) {
      const loading = this.#load().catch((error: unknown) => {
        if (this.#loading === loading) this.#loading = undefined;
        throw error;
      });
      this.#loading = loading;
    }
    return this.#loading;
  }

  /**
   * Offsets that were committed without a note are taken for the log's that is there: nobody knows better. What was
   * fetched from them is fetched again: it may have been before the ids were looked at.
   */
  async #load(): Promise<void> {
    const membership = this.#membership;
    const [committed, ids] = await Promise.all([this.#options.committed(), this.#options.ids()]);
    if (membership !== this.#membership) return;
    for (const [topic, partition] of this.#assigned) {
      const now = ids.get(topic);
      const position = committed.find((one) => one.topic === topic && one.partition === partition);
      const noted = position?.metadata ? Buffer.from(position.metadata, "base64url") : undefined;
      if (noted !== undefined) this.#positions.set(keyOf(topic, partition), noted);
      if (now === undefined) continue;
      if (noted !== undefined || position === undefined || position.offset < 0n) this.#agree(topic, partition, now);
      else {
        this.#positions.set(keyOf(topic, partition), now);
        this.#options.seek(topic, partition, position.offset, now);
      }
    }
  }
}

/** What to commit with an offset in a log. */
export const noteOf = (log: Buffer): string => log.toString("base64url");

const keyOf = (topic: string, partition: number): string => `${topic}\0${partition}`;
