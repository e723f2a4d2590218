import { expect } from "vitest";

import { endpoints, flinkClient } from "../../cluster/index.js";
import type { ClusterSettings } from "../../cluster/settings.js";
import { TOPICS } from "../../contract/topics.js";
import { runGenerator } from "../../ingress-generator/producer.js";
import { readTopics } from "../../java/java-reader.js";
import { withAdmin } from "../../kafka/client.js";
import { poll } from "../../process/poll.js";
import { expectStoredToBeRight } from "../judged.js";
import { PATIENCE_MS } from "../patience.js";

/** Sends transactions to a pipeline, and judges what has become of all of them. */
export class SentInputs {
  readonly #settings: ClusterSettings;
  readonly #brokers: string;
  #batches = 0;
  #sent = 0;

  constructor(settings: ClusterSettings) {
    this.#settings = settings;
    this.#brokers = endpoints(settings).kafka;
  }

  /** Sends transactions, and waits until the intake has taken them. */
  async send(transactions: number): Promise<void> {
    const brokers = this.#brokers;
    const runId = `${this.#settings.name}-${++this.#batches}`;
    await runGenerator({ brokers, seed: 5, runId, rate: 500, accounts: 50, transactions });
    this.#sent += transactions;
    await poll(
      `${this.#sent} transactions to be taken`,
      async () => (await this.#end(TOPICS.transactionsValid.name)) >= this.#sent,
      { timeoutMs: PATIENCE_MS },
    );
  }

  /** Waits until all that was sent is decided, and judges every record. */
  async areDecidedOnce(): Promise<void> {
    await poll(`${this.#sent} decisions`, async () => (await this.decided()) >= this.#sent, {
      timeoutMs: PATIENCE_MS,
      intervalMs: 1_000,
    });
    await flinkClient(this.#settings).waitForCheckpoints(2, PATIENCE_MS);
    await expectStoredToBeRight(this.#brokers);
    expect(await this.decided()).toBe(this.#sent);
  }

  /** How many decisions committed readers find. */
  async decided(): Promise<number> {
    const { records } = await readTopics({
      brokers: this.#brokers,
      topics: [{ topic: TOPICS.decisions.name }],
      isolation: "read_committed",
      timeoutMs: PATIENCE_MS,
    });
    return records.length;
  }
  async #end(topic: string): Promise<number> {
    const offsets = await withAdmin(this.#brokers, (admin) => admin.fetchTopicOffsets(topic));
    return offsets.reduce((sum, { high }) => sum + Number(high), 0);
  }
}
