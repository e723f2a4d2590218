import { expect } from "vitest";

import { TOPICS } from "../contract/topics.js";
import { checkedTopics } from "../demo/check.js";
import type { FlinkClient } from "../flink/flink.js";
import { topicEnds, type TopicOffsets } from "../kafka/offsets.js";
import { poll } from "../process/poll.js";
import { startOwnCommand } from "../process/run-command.js";
import { expectDecidedOnce } from "./judged.js";
import { PATIENCE_MS } from "./patience.js";

const TRANSACTIONS = 20_000;
const UNDER_WAY = 200;

/** A load in a process of its own that is ended in the middle, together with the system that it goes to. */
export class CutLoad {
  readonly #brokers: string;
  readonly #runId: string;
  readonly #starts: TopicOffsets;
  readonly #load: ReturnType<typeof startOwnCommand>;

  private constructor(brokers: string, runId: string, starts: TopicOffsets) {
    [this.#brokers, this.#runId, this.#starts] = [brokers, runId, starts];
    const what = ["--transactions", String(TRANSACTIONS), "--rate", "200", "--run-id", runId];
    this.#load = startOwnCommand(["generate", ...what, "--brokers", brokers]);
  }

  /** Begins it, and waits until some of it is decided. Nobody else sends meanwhile. */
  static async begin(brokers: string, runId: string): Promise<CutLoad> {
    const load = new CutLoad(brokers, runId, await topicEnds(brokers, [...checkedTopics, TOPICS.transactions.name]));
    await poll("some of the load to be decided", async () => (await load.#since(TOPICS.decisions.name)) > UNDER_WAY, {
      timeoutMs: PATIENCE_MS,
    });
    return load;
  }

  /** Ends it. */
  async cut(): Promise<void> {
    this.#load.kill("SIGKILL");
    await this.#load.finished;
  }

  /** Waits until all of it that Kafka had taken is decided, each once. */
  async isDecidedOnce(flink: FlinkClient): Promise<void> {
    const accepted = await this.#since(TOPICS.transactions.name);
    expect(accepted).toBeGreaterThan(UNDER_WAY);
    expect(accepted).toBeLessThan(TRANSACTIONS);
    await expectDecidedOnce({ brokers: this.#brokers, runId: this.#runId, starts: this.#starts, flink }, accepted);
  }

  /** How far a topic has grown since it began. */
  async #since(topic: string): Promise<number> {
    const ends = (await topicEnds(this.#brokers, [topic])).get(topic)!;
    return [...ends].reduce(
      (sum, [partition, end]) => sum + Number(end - (this.#starts.get(topic)?.get(partition) ?? 0n)),
      0,
    );
  }
}
