import { partitionKey } from "../../kafka/log-dirs.js";
import { Sampler } from "../sampler.js";
import { cutOf, isOverBound, type KeptLog } from "./cut.js";

const SAMPLE_MS = 10_000;
/** How long after its start Kafka first looks which segments it can remove. */
const FIRST_CHECK_MS = 30_000;

/** What a broker keeps of some topics. */
export interface KeptLogs {
  readonly logs: readonly KeptLog[];
  /** How often the broker looks which segments it can remove, in ms. */
  readonly checkMs: number;
}

export interface LogCutterOptions {
  /** Undefined when the broker does not tell. */
  readonly kept: () => Promise<KeptLogs | undefined>;
  /** The offsets that the doors have committed, by {@link partitionKey}, of the logs that are there now. */
  readonly taken: () => Promise<ReadonlyMap<string, bigint>>;
  /** Has the broker remove what is before an offset. */
  readonly cut: (topic: string, partition: number, offset: bigint) => Promise<void>;
  /** Offsets that are gone. */
  readonly onCut: (topic: string, offsets: number) => void;
  /** What failed, and is tried again; once as long as it is the same. */
  readonly onError: (error: Error) => void;
  /** In ms; never goes back. */
  readonly nowMs?: () => number;
}

/**
 * Keeps the logs where strangers write within a bound: has the broker remove their oldest records, but none that the
 * doors have not taken in.
 *
 * The broker removes records by moving a log's beginning, and frees room by whole segments when it next looks. Until
 * then the size that it tells is the old one, and would have more removed, and more. So a log is looked at only when
 * its beginning has stood still for longer than the broker needs. That beginning is all that needs to be remembered,
 * and stands at the broker: it counts as well when this process starts again, or another intake has cut.
 */
export class LogCutter {
  readonly #options: LogCutterOptions;
  readonly #nowMs: () => number;
  readonly #sampler: Sampler<void>;
  /** Of each partition: where it begins, and since when that is known. */
  #begins = new Map<string, { readonly begin: bigint; readonly sinceMs: number }>();
  #reported: string | undefined;

  constructor(options: LogCutterOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#sampler = new Sampler({ everyMs: SAMPLE_MS, take: () => this.look() });
  }

  start(): void {
    this.#sampler.start();
  }

  stop(): void {
    this.#sampler.stop();
  }

  /** Looks what is kept, and has removed what need not be. Never rejects. */
  async look(): Promise<void> {
    try {
      await this.#look();
      this.#reported = undefined;
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      if (error.message !== this.#reported) this.#options.onError(error);
      this.#reported = error.message;
    }
  }

  async #look(): Promise<void> {
    const { kept, taken, cut, onCut } = this.#options;
    const answer = await kept().catch((error: unknown) => {
      // A broker that is away looks for nothing meanwhile.
      this.#begins.clear();
      throw error;
    });
    if (answer === undefined) return;
    const over = this.#settled(answer).filter(isOverBound);
    if (over.length === 0) return;
    const committed = await taken();
    for (const log of over) {
      const { topic, partition, begin } = log;
      const offset = cutOf(log, committed.get(partitionKey(topic, partition)) ?? -1n);
      if (offset === undefined) continue;
      // From now on, whatever becomes of the request: the broker may obey and not answer.
      this.#begins.delete(partitionKey(topic, partition));
      await cut(topic, partition, offset);
      onCut(topic, Number(offset - begin));
    }
  }

  /** Those whose size is that of what is kept. */
  #settled({ logs, checkMs }: KeptLogs): KeptLog[] {
    const nowMs = this.#nowMs();
    const before = this.#begins;
    this.#begins = new Map(
      logs.map(({ topic, partition, begin }) => {
        const key = partitionKey(topic, partition);
        const known = before.get(key);
        return [key, known?.begin === begin ? known : { begin, sinceMs: nowMs }];
      }),
    );
    // Twice, for one may just have begun; and it may have been started again.
    return logs.filter(
      ({ topic, partition }) =>
        nowMs - this.#begins.get(partitionKey(topic, partition))!.sinceMs > 2 * checkMs + FIRST_CHECK_MS,
    );
  }
}
