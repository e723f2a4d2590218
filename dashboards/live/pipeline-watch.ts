import { type FlinkClient, flinkClientAt } from "../../flink/flink.js";
import { KafkaAnswers } from "./kafka-answers.js";
import type { PipelineState } from "./wire.js";

const LOOK_MS = 1_000;
/** Flink gathers every figure of every process to tell of restarts. A restart lasts for more than one look. */
const RESTARTS_EVERY_LOOKS = 5;
/** Flink's answer is what it had gathered for the question before. */
const RESTARTS_AFTER_LOOKS = 10;
/** A broker that takes longer to answer is away: one that is stopped still accepts connections. */
const KAFKA_MS = 3_000;

/** Follows how Kafka and the Flink job are. */
export class PipelineWatch {
  readonly #flink: FlinkClient;
  readonly #kafka: KafkaAnswers;
  readonly #outages = new Outages();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #restartQuestions = new RestartQuestions();
  #looking = false;
  #asking = false;
  #kafkaAnswers = false;
  #job = "unreachable";
  #restarts = 0;
  #restartsOfThisJobManager: number | undefined;
  #checkpoints: PipelineState["checkpoints"] = null;

  constructor({ flink, brokers }: { flink: string; brokers: string }) {
    this.#flink = flinkClientAt(flink);
    this.#kafka = new KafkaAnswers(brokers);
  }

  start(): void {
    this.#timers.push(
      setInterval(() => void this.#look(), LOOK_MS),
      setInterval(() => void this.#askKafka(), LOOK_MS),
    );
    void this.#look();
    void this.#askKafka();
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    void this.#kafka.close();
  }

  state(caughtUp: boolean): PipelineState {
    const { count, lastMs } = this.#outages;
    return {
      kafka: this.#kafkaAnswers ? "answers" : "away",
      job: this.#job,
      restarts: this.#restarts,
      interruptions: count,
      lastOutageMs: lastMs ?? null,
      checkpoints: this.#checkpoints,
      caughtUp,
    };
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const [job, checkpoints] = await Promise.all([this.#flink.jobState(), this.#flink.checkpoints()]);
      const restarts = this.#restartQuestions.due(job === "RUNNING") ? await this.#flink.restarts() : "unreachable";
      this.#job = job;
      this.#outages.see(job === "RUNNING", Date.now());
      if (restarts !== "unreachable") {
        const before = this.#restartsOfThisJobManager;
        // A new JobManager counts from 0; what happened before this server started is not its to tell.
        if (before !== undefined) this.#restarts += restarts >= before ? restarts - before : restarts;
        this.#restartsOfThisJobManager = restarts;
      }
      if (checkpoints !== "unreachable")
        this.#checkpoints = {
          completed: checkpoints.completed,
          failed: checkpoints.failed,
          durationMs: checkpoints.last?.durationMs ?? 0,
          bytes: checkpoints.last?.bytes ?? 0,
        };
    } finally {
      this.#looking = false;
    }
  }

  async #askKafka(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const asked = this.#kafka.ask();
    // The question itself may take half a minute to fail; until it does, no other is asked.
    void asked.then((answers) => {
      this.#asking = false;
      this.#kafkaAnswers = answers;
    });
    await Promise.race([asked, new Promise((resolve) => setTimeout(resolve, KAFKA_MS).unref())]);
    if (this.#asking) this.#kafkaAnswers = false;
  }
}

/** When to ask for a job's restarts: at each look until it has run for a while, then seldom. */
export class RestartQuestions {
  #steadyLooks = 0;

  /** @param running - whether the job runs, at this look */
  due(running: boolean): boolean {
    this.#steadyLooks = running ? this.#steadyLooks + 1 : 0;
    return this.#steadyLooks <= RESTARTS_AFTER_LOOKS || this.#steadyLooks % RESTARTS_EVERY_LOOKS === 0;
  }
}

/** Interruptions of something that should run. */
export class Outages {
  #downSinceMs: number | undefined;
  #wasUp = false;
  #count = 0;
  #lastMs: number | undefined;

  get count(): number {
    return this.#count;
  }

  /**
   * How long the last one took, from the first look that found it down to the first that found it up; `undefined`
   * before there was one.
   */
  get lastMs(): number | undefined {
    return this.#lastMs;
  }

  see(up: boolean, nowMs: number): void {
    if (!up) {
      // Before it has run for the first time it is starting, not interrupted.
      if (this.#wasUp && this.#downSinceMs === undefined) {
        this.#downSinceMs = nowMs;
        this.#count++;
      }
      return;
    }
    if (this.#downSinceMs !== undefined) this.#lastMs = nowMs - this.#downSinceMs;
    this.#downSinceMs = undefined;
    this.#wasUp = true;
  }
}
