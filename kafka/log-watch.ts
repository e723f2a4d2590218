import { SourceLogs, type SourceLogsOptions } from "./source-logs.js";
import { TopicIds, type TopicIdsByName } from "./topic-ids.js";

export interface LogWatchOptions extends Omit<SourceLogsOptions, "ids"> {
  /** `host:port` of a broker. */
  readonly brokers: string;
  readonly topics: readonly string[];
  /** How often it is looked whether a topic was made again while nothing comes from it, in ms. */
  readonly everyMs: number;
}

/** {@link SourceLogs} of a consumer on real brokers, which looks by itself now and then. */
export class LogWatch {
  readonly #topicIds: TopicIds;
  readonly #logs: SourceLogs;
  readonly #everyMs: number;
  #looking: NodeJS.Timeout | undefined;

  constructor({ brokers, topics, everyMs, ...options }: LogWatchOptions) {
    this.#topicIds = new TopicIds(brokers, topics);
    this.#logs = new SourceLogs({ ...options, ids: () => this.#topicIds.now() });
    this.#everyMs = everyMs;
  }

  /** The topics' ids. @throws when no broker answers */
  ids(): Promise<TopicIdsByName> {
    return this.#topicIds.now();
  }

  /** As {@link SourceLogs.joined}. */
  joined(assignment: Readonly<Record<string, readonly number[]>>): void {
    this.#logs.joined(assignment);
  }

  /** As {@link SourceLogs.logOf}. @throws when no broker answers */
  logOf(topic: string, partition: number): Promise<Buffer | undefined> {
    return this.#logs.logOf(topic, partition);
  }

  start(): void {
    this.#looking = setTimeout(() => {
      // A broker that is away is not news: the consumer tells.
      void this.#logs
        .look()
        .catch(() => undefined)
        .then(() => {
          if (this.#looking !== undefined) this.start();
        });
    }, this.#everyMs).unref();
  }

  /** Once the consumer has ended. */
  async stop(): Promise<void> {
    clearTimeout(this.#looking);
    this.#looking = undefined;
    await this.#topicIds.close();
  }
}
