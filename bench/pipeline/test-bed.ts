import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { type Cluster, clusterSettings, endpoints, startCluster } from "../../cluster/index.js";
import { TOPICS } from "../../contract/topics.js";
import type { StateBackend } from "../../flink/flink.js";
import { followTopics } from "../../kafka/consumer.js";
import { poll } from "../../process/poll.js";
import { UserError } from "../../terminal/user-error.js";
import { microsEach, type PartTimes, partTimes } from "../part-times.js";
import type { Drained, JobHealth, Latency, Recovered, StateFigures, Watched } from "./figures.js";
import { jobHealth, stateFigures } from "./flink-figures.js";
import { HopMeter } from "./hops.js";
import { LagSamples } from "./lag.js";
import { Load } from "./load.js";
import { Meter } from "./meter.js";
import type { Keys } from "./transactions.js";
import { type VariantName, VARIANTS } from "./variants/variants.js";

const SAMPLE_MS = 250;
const FLINK = ["taskmanager", "jobmanager"] as const;
const PORT_OFFSET = 22_500;
/** In the load whose latencies are taken, what is due is sent this often: what waits for it counts as latency. */
const LATENCY_TICK_MS = 5;
/** As quickly as a reader is told of new records. */
const VISIBLE_WAIT_MS = 10;
const LATENCY_END_MS = 15_000;
/** Of accounts that are loaded ahead, so many are under way at most. */
const FILL_STEP = 20_000;

export interface TestBedOptions {
  readonly variant: VariantName;
  readonly accounts: number;
  readonly merchants: number;
  readonly keys: Keys;
  /** Of a variant that has none of its own. */
  readonly stateBackend: StateBackend;
  /** Of a variant that has none of its own; the default unless set. */
  readonly parallelism?: number;
  /** The load begins with {@link TestBed.fill}. */
  readonly eachOnce: boolean;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Who is told of committed decisions while latencies are taken. */
interface Watching {
  hops: HopMeter | undefined;
}

/** A separate cluster with one of the variants, a load on it, and a reader of its committed decisions. */
export class TestBed {
  readonly #cluster: Cluster;
  /** From nothing until the job ran. */
  readonly startSeconds: number;
  readonly #load: Load;
  readonly #meter: Meter;
  readonly #watching: Watching;
  readonly #signal: AbortSignal;
  readonly #close: () => Promise<void>;
  readonly #died: readonly string[];
  /** Deaths that were wanted. */
  #ended = 0;

  /** @throws {UserError} as `startCluster` does */
  static async start(options: TestBedOptions): Promise<TestBed> {
    const { variant, accounts, merchants, keys, stateBackend, parallelism, eachOnce, progress, signal } = options;
    const folder = mkdtempSync(join(tmpdir(), "bench-pipeline-"));
    const closing: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
    const close = async (): Promise<void> => {
      for (const one of closing.splice(0).reverse()) await one();
    };
    try {
      const settings = clusterSettings(
        VARIANTS[variant].options(
          {
            name: "bench-pipeline",
            portOffset: PORT_OFFSET,
            stateBackend,
            ...(parallelism !== undefined && { parallelism }),
          },
          folder,
        ),
      );
      const died: string[] = [];
      const beganMs = Date.now();
      // What dies stays dead: a figure of a pipeline that was started again meanwhile would be none.
      const cluster = await startCluster(settings, {
        step: async (title, work) => (progress(title), await work(() => undefined)),
        restart: false,
        fresh: true,
        signal,
        onEvent: (event) => event.kind === "died" && died.push(event.part),
      });
      closing.push(() => cluster.stop());
      const startSeconds = secondsSince(beganMs);
      const brokers = endpoints(settings).kafka;
      const { recordKey } = VARIANTS[variant];
      const load = await Load.start({
        brokers,
        transactions: { accounts, merchants, keys, recordKey, eachOnce },
        signal,
      });
      closing.push(() => load.stop());
      const meter = new Meter();
      const watching: Watching = { hops: undefined };
      const reader = await followTopics({
        brokers,
        topics: [TOPICS.decisions.name],
        from: "beginning",
        maxWaitMs: 100,
        onRecord: ({ value, arrivedAtMs }) => {
          if (value === null) return;
          meter.onDecision(value, arrivedAtMs, load);
          watching.hops?.onCommitted(value, arrivedAtMs);
        },
      });
      closing.push(() => reader.stop());
      return new TestBed(cluster, startSeconds, load, meter, watching, died, signal, close);
    } catch (error) {
      await close();
      throw error;
    }
  }

  private constructor(
    cluster: Cluster,
    startSeconds: number,
    load: Load,
    meter: Meter,
    watching: Watching,
    died: readonly string[],
    signal: AbortSignal,
    close: () => Promise<void>,
  ) {
    this.#cluster = cluster;
    this.startSeconds = startSeconds;
    this.#load = load;
    this.#meter = meter;
    this.#watching = watching;
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

  /** Encodes this many transactions ahead, so that to send them costs little. */
  stock(count: number): Promise<void> {
    return this.#load.stock(count);
  }

  /**
   * Sends a transaction of each account, as fast as they are decided, until the limit is over.
   *
   * @returns how many accounts had theirs
   */
  async fill(accounts: number, limitMs: number, progress: (line: string) => void): Promise<number> {
    const end = Date.now() + limitMs;
    while (this.#load.sent < accounts && Date.now() < end) {
      await this.#load.burst(Math.min(FILL_STEP, accounts - this.#load.sent));
      while (this.#load.sent - this.#meter.decided > FILL_STEP / 2 && Date.now() < end) {
        this.#requireAlive();
        await delay(SAMPLE_MS / 5, undefined, { signal: this.#signal });
      }
      progress(`${this.#load.sent.toLocaleString("en")} of ${accounts.toLocaleString("en")} accounts have state`);
    }
    return this.#load.sent;
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

  /**
   * Watches the offered rate for this long.
   *
   * @param tooMuch - with so many transactions on their way it ends at once
   */
  async watch(offered: number, forMs: number, tooMuch = Infinity): Promise<Watched> {
    let cutShort = false;
    const lags = new LagSamples();
    const [beganMs, decidedBefore, before] = [Date.now(), this.#meter.decided, this.#times()];
    this.#meter.begin();
    for (let now = Date.now(); now - beganMs < forMs && !cutShort; now = Date.now()) {
      const lag = this.#load.due(now) - this.#meter.decided;
      lags.add(now, lag);
      cutShort = lag > tooMuch;
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
      cutShort,
      cpuMicros: microsEach(before, this.#times(), decided),
    };
  }

  /**
   * Latencies at a rate, by hop. A second reader, of uncommitted records, reads meanwhile; and a third one, of what the
   * intake wrote, where the load goes through its door.
   *
   * @returns `undefined` when no decision came
   */
  async latency(
    perSecond: number,
    { settleMs, forMs, throughIntake }: { settleMs: number; forMs: number; throughIntake: boolean },
  ): Promise<Latency | undefined> {
    let hops: HopMeter | undefined;
    const { kafka: brokers } = endpoints(this.#cluster.settings);
    const readers = [
      await followTopics({
        brokers,
        topics: [TOPICS.decisions.name],
        from: "end",
        isolation: "read_uncommitted",
        maxWaitMs: VISIBLE_WAIT_MS,
        onRecord: ({ value, arrivedAtMs }) => value !== null && hops?.onVisible(value, arrivedAtMs),
      }),
    ];
    try {
      if (throughIntake)
        readers.push(
          await followTopics({
            brokers,
            topics: [TOPICS.transactionsValid.name],
            from: "end",
            maxWaitMs: VISIBLE_WAIT_MS,
            onRecord: ({ value, arrivedAtMs }) => value !== null && hops?.onAdmitted(value, arrivedAtMs),
          }),
        );
      await this.#load.rate(perSecond, { tickMs: LATENCY_TICK_MS, throughIntake });
      await delay(settleMs, undefined, { signal: this.#signal });
      this.#watching.hops = hops = new HopMeter(this.#load, Date.now());
      const [before, decidedBefore] = [this.#times(), this.#meter.decided];
      await delay(forMs, undefined, { signal: this.#signal });
      hops.end(Date.now());
      const cpuMicros = microsEach(before, this.#times(), this.#meter.decided - decidedBefore);
      this.#requireAlive();
      await this.calm(LATENCY_END_MS);
      const figures = hops.figures();
      return figures && { perSecond, ...figures, cpuMicros };
    } finally {
      this.#watching.hops = undefined;
      for (const reader of readers) await reader.stop();
    }
  }

  /** Kills the TaskManager under this load, starts another one at once, and looks how it goes on. */
  async recover(perSecond: number, settleMs: number, limitMs: number): Promise<Recovered> {
    await this.offer(perSecond, settleMs / 2);
    const { lag } = await this.watch(perSecond, settleMs / 2);
    const part = "taskmanager";
    const beganMs = Date.now();
    const firstAfter = this.#load.due(beganMs);
    this.#cluster.hold(part);
    this.#cluster.kill(part);
    this.#ended++;
    await poll("the TaskManager to be gone", () => this.#died.length >= this.#ended, {
      timeoutMs: 30_000,
      intervalMs: 20,
      signal: this.#signal,
    });
    await this.#cluster.release(part);
    let firstDecisionSeconds: number | null = null;
    let caughtUpSeconds: number | null = null;
    while (caughtUpSeconds === null && Date.now() - beganMs < limitMs) {
      await delay(SAMPLE_MS / 5, undefined, { signal: this.#signal });
      this.#requireAlive();
      if (this.#meter.newest < firstAfter) continue;
      firstDecisionSeconds ??= secondsSince(beganMs);
      if (this.#load.due(Date.now()) - this.#meter.decided <= Math.max(lag, perSecond) * 1.5)
        caughtUpSeconds = secondsSince(beganMs);
    }
    return { firstDecisionSeconds, caughtUpSeconds };
  }

  /** What the pipeline keeps now. */
  state(): Promise<StateFigures> {
    return stateFigures(this.#cluster.settings);
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
    let firstSeconds: number | undefined;
    for (;;) {
      decided = this.#meter.decided - decidedBefore;
      if (decided > 0) firstSeconds ??= secondsSince(beganMs);
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
      seconds: decided >= waiting ? secondsSince(beganMs) : undefined,
      firstSeconds,
      waiting,
      decided,
      cpuMicros:
        first === undefined || last.decided === first.decided
          ? {}
          : microsEach(first.times, last.times, last.decided - first.decided),
    };
  }

  /** Since the job was started, by {@link drain} the last time. */
  health(): Promise<JobHealth> {
    return jobHealth(this.#cluster.settings, this.#signal);
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

const secondsSince = (beganMs: number): number => Math.round((Date.now() - beganMs) / 100) / 10;
