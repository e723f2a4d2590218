import { endpoints, flinkClient, type RunningCluster } from "../cluster/index.js";
import { TOPICS } from "../contract/topics.js";
import { LiveStats } from "../ingress-generator/live-stats.js";
import { type Generated, runGenerator } from "../ingress-generator/producer.js";
import { followTopics } from "../kafka/consumer.js";
import { topicEnds, type TopicOffsets } from "../kafka/offsets.js";
import { poll } from "../process/poll.js";
import { thisMachine } from "../terminal/json-report.js";
import { UserError } from "../terminal/user-error.js";
import { checkedTopics, checkRun } from "./check.js";
import type { ClusterGlance } from "./live-view.js";
import type { DemoOptions } from "./options.js";
import type { DemoReport } from "./report.js";
import type { Screen } from "./screen.js";

const GLANCE_MS = 1_000;
/** A job that restarts takes a while; one that decides nothing for longer than this is stuck. */
const STUCK_MS = 180_000;
const KEPT_LATENCIES = 10_000;
const REPORTED_VIOLATIONS = 20;

/** A run of the demo: transactions go in, and what comes out is followed live. */
export class DemoRun {
  readonly stats: LiveStats;
  readonly #cluster: RunningCluster;
  readonly #options: DemoOptions;
  readonly #runId: string;
  readonly #brokers: string;
  #glance: ClusterGlance = { jobState: "…", jobRestarts: 0, checkpoints: 0 };

  constructor(cluster: RunningCluster, options: DemoOptions, runId: string) {
    this.#cluster = cluster;
    this.#options = options;
    this.#runId = runId;
    this.#brokers = endpoints(cluster.settings).kafka;
    this.stats = new LiveStats(runId, options.transactions ?? KEPT_LATENCIES);
  }

  /** How the cluster was when last asked. */
  get glance(): ClusterGlance {
    return this.#glance;
  }

  /**
   * Sends, until all is sent or the signal; of a bounded run, waits for every decision and checks them.
   *
   * @returns the report of a bounded run; `undefined` when it was cut short
   * @throws {UserError} when nothing is decided any more
   */
  async run(screen: Screen, signal: AbortSignal): Promise<DemoReport | undefined> {
    const startedAtMs = Date.now();
    const timer = setInterval(() => void this.#look(), GLANCE_MS);
    const starts = await topicEnds(this.#brokers, checkedTopics);
    const reader = await followTopics({
      brokers: this.#brokers,
      topics: [TOPICS.decisions.name, TOPICS.alerts.name],
      from: "end",
      onRecord: ({ topic, value, arrivedAtMs }) => {
        if (value === null) return;
        if (topic === TOPICS.decisions.name) this.stats.onDecision(value, arrivedAtMs);
        else this.stats.onAlert(value);
      },
    });
    try {
      const sendingFromMs = Date.now();
      const { seed, rate, accounts, transactions } = this.#options;
      const generated = await runGenerator({
        brokers: this.#brokers,
        seed,
        runId: this.#runId,
        rate,
        accounts,
        transactions,
        signal,
        onSend: (item, dueAtMs) => {
          if (item.kind === "transaction") this.stats.onSent(item.message.transactionId, dueAtMs, Date.now());
        },
      });
      if (signal.aborted || transactions === undefined) return undefined;
      await this.#decided(signal);
      if (signal.aborted) return undefined;
      screen.say("all decided; waiting for two more checkpoints, then reading the topics …");
      await flinkClient(this.#cluster.settings).waitForCheckpoints(2, STUCK_MS, signal);
      return await this.#report(generated, starts, startedAtMs, sendingFromMs);
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    } finally {
      clearInterval(timer);
      await reader.stop();
    }
  }

  async #look(): Promise<void> {
    const flink = flinkClient(this.#cluster.settings);
    const [jobState, restarts, checkpoints] = await Promise.all([
      flink.jobState(),
      flink.restarts(),
      flink.completedCheckpoints(),
    ]);
    this.#glance = {
      jobState,
      jobRestarts: restarts === "unreachable" ? this.#glance.jobRestarts : restarts,
      checkpoints: checkpoints === "unreachable" ? this.#glance.checkpoints : checkpoints,
    };
  }

  async #decided(signal: AbortSignal): Promise<void> {
    let waiting = this.stats.waiting;
    let changedAtMs = Date.now();
    while (this.stats.waiting > 0) {
      try {
        await poll("a decision", () => this.stats.waiting < waiting, { timeoutMs: STUCK_MS, signal });
      } catch (cause) {
        signal.throwIfAborted();
        throw new UserError(
          `${waiting} transactions have no decision, and none came for ${Math.round((Date.now() - changedAtMs) / 1000)} s. See: npm run cluster -- logs taskmanager --name ${this.#cluster.settings.name}`,
          { cause },
        );
      }
      waiting = this.stats.waiting;
      changedAtMs = Date.now();
    }
  }

  async #report(
    generated: Generated,
    starts: TopicOffsets,
    startedAtMs: number,
    sendingFromMs: number,
  ): Promise<DemoReport> {
    await this.#look();
    const { judgement, alerts } = await checkRun(this.#brokers, this.#runId, starts);
    const [p50, p99] = this.stats.quantiles(0.5, 0.99);
    const { seed, rate, accounts, warmUp } = this.#options;
    return {
      runId: this.#runId,
      seed,
      rate,
      accounts,
      warmUp,
      startedAt: new Date(startedAtMs).toISOString(),
      sent: generated.sentTransactions,
      decisions: judgement.decisions,
      duplicates: judgement.duplicates,
      missing: judgement.missing,
      outOfOrder: judgement.outOfOrder,
      rejected: judgement.rejected,
      alerts,
      committedLatencyMs: { p50: p50!, p99: p99! },
      throughputPerSecond: Math.round(
        generated.sentTransactions / ((this.stats.lastDecisionAtMs - sendingFromMs) / 1000),
      ),
      jobRestarts: this.#glance.jobRestarts,
      violations: judgement.violations.slice(0, REPORTED_VIOLATIONS),
      machine: thisMachine(),
    };
  }
}
