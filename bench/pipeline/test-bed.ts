import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { type Cluster, clusterSettings, endpoints, flinkClient, startCluster } from "../../cluster/index.js";
import { type Transport, withTransport } from "../../cluster/transports.js";
import { TOPICS } from "../../contract/topics.js";
import { followTopics } from "../../kafka/consumer.js";
import { poll } from "../../process/poll.js";
import { UserError } from "../../terminal/user-error.js";
import { microsEach, type PartTimes, partTimes } from "../part-times.js";
import { LagSamples } from "./lag.js";
import { Load } from "./load.js";
import { Meter } from "./meter.js";

const SAMPLE_MS = 250;
const FLINK = ["taskmanager", "jobmanager"] as const;
const METRIC_MS = 10_000;
const PORT_OFFSET = 22_500;

export interface TestBedOptions {
  readonly variant: Transport;
  readonly accounts: number;
  readonly merchants: number;
  /** How many transactions are encoded before the first is sent. */
  readonly stock: number;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** What was seen at one rate. */
export interface Watched {
  readonly offered: number;
  readonly decidedPerSecond: number;
  readonly committedMs: { readonly p50: number; readonly p99: number };
  /** Transactions that were due and not decided, on average, and how many more there were a second. */
  readonly lag: number;
  readonly lagGrowth: number;
  /**
   * Microseconds of processor time a decided transaction, by part; `load` sends the transactions, `reader` reads the
   * decisions.
   */
  readonly cpuMicros: Readonly<Record<string, number>>;
}

/** How a backlog was worked off. */
export interface Drained {
  /** Over the middle four fifths. */
  readonly perSecond: number;
  /**
   * From Flink's start, cold, until every decision was committed; `undefined` when that was not waited for any longer.
   */
  readonly seconds: number | undefined;
  /** Transactions that waited, those of before included. */
  readonly waiting: number;
  readonly decided: number;
  readonly cpuMicros: Readonly<Record<string, number>>;
}

/** What Flink says of its job since it was started. */
export interface JobHealth {
  readonly restarts: number | "unreachable";
  readonly failedCheckpoints: number | "unreachable";
  readonly completedCheckpoints: number | "unreachable";
}

/** A separate cluster with one of the transports, a load on it, and a reader of its committed decisions. */
export class TestBed {
  readonly #cluster: Cluster;
  readonly #load: Load;
  readonly #meter: Meter;
  readonly #signal: AbortSignal;
  readonly #close: () => Promise<void>;
  readonly #died: readonly string[];
  /** Deaths that were wanted. */
  #ended = 0;

  /** @throws {UserError} as `startCluster` does */
  static async start({ variant, accounts, merchants, stock, progress, signal }: TestBedOptions): Promise<TestBed> {
    const folder = mkdtempSync(join(tmpdir(), "bench-pipeline-"));
    const closing: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
    const close = async (): Promise<void> => {
      for (const one of closing.splice(0).reverse()) await one();
    };
    try {
      const settings = clusterSettings(
        withTransport(variant, { name: "bench-pipeline", portOffset: PORT_OFFSET }, folder),
      );
      const died: string[] = [];
      // What dies stays dead: a figure of a pipeline that was started again meanwhile would be none.
      const cluster = await startCluster(settings, {
        step: async (title, work) => (progress(title), await work(() => undefined)),
        restart: false,
        fresh: true,
        signal,
        onEvent: (event) => event.kind === "died" && died.push(event.part),
      });
      closing.push(() => cluster.stop());
      const brokers = endpoints(settings).kafka;
      progress(`encoding ${stock.toLocaleString("en")} transactions`);
      const load = await Load.start({ brokers, accounts, merchants, stock, signal });
      closing.push(() => load.stop());
      const meter = new Meter();
      const reader = await followTopics({
        brokers,
        topics: [TOPICS.decisions.name],
        from: "beginning",
        maxWaitMs: 100,
        onRecord: ({ value, arrivedAtMs }) => value !== null && meter.onDecision(value, arrivedAtMs, load),
      });
      closing.push(() => reader.stop());
      return new TestBed(cluster, load, meter, died, signal, close);
    } catch (error) {
      await close();
      throw error;
    }
  }

  private constructor(
    cluster: Cluster,
    load: Load,
    meter: Meter,
    died: readonly string[],
    signal: AbortSignal,
    close: () => Promise<void>,
  ) {
    this.#cluster = cluster;
    this.#load = load;
    this.#meter = meter;
    this.#died = died;
    this.#signal = signal;
    this.#close = close;
  }

  get sent(): number {
    return this.#load.sent;
  }
  get decided(): number {
    return this.#meter.decided;
  }
  get duplicates(): number {
    return this.#meter.duplicates;
  }

  /** Sends this many per second from now on, and resolves after the given ms. */
  async offer(perSecond: number, forMs: number): Promise<void> {
    await this.#load.rate(perSecond);
    await delay(forMs, undefined, { signal: this.#signal });
  }

  /** Sends nothing more. @returns whether every decision was committed within the limit */
  async calm(limitMs: number): Promise<boolean> {
    await this.#load.pause();
    const end = Date.now() + limitMs;
    while (this.#meter.decided < this.#load.sent) {
      if (Date.now() >= end) return false;
      await delay(SAMPLE_MS, undefined, { signal: this.#signal });
    }
    return true;
  }

  /** Watches the offered rate for this long. */
  async watch(offered: number, forMs: number): Promise<Watched> {
    const lags = new LagSamples();
    const [beganMs, decidedBefore, before] = [Date.now(), this.#meter.decided, this.#times()];
    this.#meter.begin();
    for (let now = Date.now(); now - beganMs < forMs; now = Date.now()) {
      lags.add(now, this.#load.due(now) - this.#meter.decided);
      await delay(SAMPLE_MS, undefined, { signal: this.#signal });
    }
    const decided = this.#meter.decided - decidedBefore;
    const seconds = (Date.now() - beganMs) / 1000;
    this.#requireAlive();
    return {
      offered,
      decidedPerSecond: Math.round(decided / seconds),
      committedMs: this.#meter.committedMs(),
      lag: Math.round(lags.mean),
      lagGrowth: Math.round(lags.growth * 10) / 10,
      cpuMicros: microsEach(before, this.#times(), decided),
    };
  }

  /**
   * Lets a backlog wait for a Flink that does not run, starts it, and waits until every decision is committed.
   *
   * @param limitMs - then what was decided by then is what there is
   */
  async drain(backlog: number, limitMs: number, progress: (line: string) => void): Promise<Drained> {
    progress(`${backlog.toLocaleString("en")} transactions into Kafka, without Flink`);
    for (const part of FLINK) this.#cluster.hold(part);
    for (const part of FLINK) this.#cluster.kill(part);
    this.#ended += FLINK.length;
    await poll("Flink to be gone", () => this.#died.length >= this.#ended, { timeoutMs: 30_000, signal: this.#signal });
    const decidedBefore = this.#meter.decided;
    await this.#load.burst(backlog);
    const waiting = this.#load.sent - decidedBefore;
    progress("Flink starts");
    const beganMs = Date.now();
    for (const part of FLINK) await this.#cluster.release(part);
    const marks: { readonly atMs: number; readonly decided: number; readonly times: PartTimes }[] = [];
    let decided = 0;
    let toldMs = beganMs;
    for (;;) {
      decided = this.#meter.decided - decidedBefore;
      const isLate = Date.now() - beganMs >= limitMs;
      const share = marks.length === 0 ? 0.1 : 0.9;
      if (marks.length < 2 && decided > 0 && (decided >= waiting * share || isLate))
        marks.push({ atMs: Date.now(), decided, times: this.#times() });
      if (decided >= waiting || isLate) break;
      this.#requireAlive();
      if (Date.now() - toldMs >= 5_000) {
        toldMs = Date.now();
        progress(
          `${decided.toLocaleString("en")} of ${waiting.toLocaleString("en")} decided after ${Math.round((toldMs - beganMs) / 1000)} s`,
        );
      }
      await delay(SAMPLE_MS / 5, undefined, { signal: this.#signal });
    }
    const [first, last] = [marks[0], marks[1] ?? { atMs: Date.now(), decided, times: this.#times() }];
    return {
      // Committed all at once: of a backlog that is too small to say more.
      perSecond:
        first === undefined
          ? 0
          : Math.round(
              last.decided === first.decided
                ? decided / ((last.atMs - beganMs) / 1000)
                : ((last.decided - first.decided) * 1000) / (last.atMs - first.atMs),
            ),
      seconds: decided >= waiting ? Math.round((Date.now() - beganMs) / 100) / 10 : undefined,
      waiting,
      decided,
      cpuMicros:
        first === undefined || last.decided === first.decided
          ? {}
          : microsEach(first.times, last.times, last.decided - first.decided),
    };
  }

  /** Since the job was started, by {@link drain} the last time. */
  async health(): Promise<JobHealth> {
    const flink = flinkClient(this.#cluster.settings);
    // Flink fetches a metric when it is first asked for, and answers the next time.
    const restarts = await poll(
      "Flink to count restarts",
      async () => [await flink.restarts()].filter((count) => count !== "unreachable").map((count) => ({ count }))[0],
      { timeoutMs: METRIC_MS, signal: this.#signal },
    ).then(
      ({ count }) => count,
      () => "unreachable" as const,
    );
    this.#signal.throwIfAborted();
    const checkpoints = await flink.checkpoints();
    return checkpoints === "unreachable"
      ? { restarts, failedCheckpoints: checkpoints, completedCheckpoints: checkpoints }
      : { restarts, failedCheckpoints: checkpoints.failed, completedCheckpoints: checkpoints.completed };
  }

  /** Stops everything, whatever it is at. */
  close(): Promise<void> {
    return this.#close();
  }

  #times(): PartTimes {
    const { user, system } = process.cpuUsage();
    return partTimes(this.#cluster.settings, { load: this.#load.pid }).set("reader", (user + system) / 1e6);
  }

  #requireAlive(): void {
    const unwanted = this.#died.slice(this.#ended);
    if (unwanted.length > 0)
      throw new UserError(`${unwanted.join(", ")} of the cluster died meanwhile. See .cluster/bench-pipeline/logs.`);
  }
}
