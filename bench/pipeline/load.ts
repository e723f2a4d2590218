import { dueCount, dueMs } from "../../ingress-generator/pacing.js";
import { poll } from "../../process/poll.js";
import { startTalkingModule, type TalkingModule } from "../../process/run-command.js";
import { UserError } from "../../terminal/user-error.js";
import type { LoadCommand, LoadNews } from "./load-messages.js";
import type { StockOptions } from "./transactions.js";

const READY_MS = 120_000;
const IDLE_MS = 600_000;
/** How often what is due is sent, if nothing else is said. */
const TICK_MS = 25;

type Segment = Extract<LoadNews, { readonly kind: "segment" }>;

export interface LoadOptions {
  readonly brokers: string;
  readonly transactions: Omit<StockOptions, "seed">;
  readonly signal: AbortSignal;
}

/** The process that sends transactions, and when each was due. */
export class Load {
  readonly #signal: AbortSignal;
  readonly #process: TalkingModule;
  readonly #segments: Segment[] = [];
  #isReady = false;
  #isIdle = true;
  #sent = 0;
  #ended = false;

  /** Resolves when it is ready to send. @throws {UserError} when it ends instead */
  static async start(options: LoadOptions): Promise<Load> {
    const load = new Load(options);
    try {
      await load.#until("the process that sends transactions", () => load.#isReady, READY_MS);
      return load;
    } catch (error) {
      load.#process.kill();
      throw error;
    }
  }

  private constructor({ brokers, transactions, signal }: LoadOptions) {
    this.#signal = signal;
    const env = { KAFKA: brokers, BENCH_LOAD: JSON.stringify(transactions) };
    this.#process = startTalkingModule("bench/pipeline/load-process.ts", env, (message) =>
      this.#onNews(message as LoadNews),
    );
    void this.#process.ended.then(() => (this.#ended = true));
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Transactions that Kafka has. */
  get sent(): number {
    return this.#sent;
  }

  /** Transactions that should have been sent by now. */
  due(nowMs: number): number {
    const segment = this.#segments.at(-1);
    if (this.#isIdle || segment === undefined || segment.perSecond === null) return this.#sent;
    return segment.from + dueCount(nowMs - segment.beganMs, segment.perSecond);
  }

  /** When the transaction with that number was due, in ms since 1970. */
  dueAtMs(n: number): number {
    const segment = this.#segments.findLast(({ from }) => from <= n);
    if (segment === undefined) return NaN;
    return segment.perSecond === null ? segment.beganMs : segment.beganMs + dueMs(n - segment.from, segment.perSecond);
  }

  /** Encodes this many transactions ahead. */
  async stock(count: number): Promise<void> {
    this.#tell({ kind: "stock", count });
    await this.#until(`${count} transactions to be encoded`, () => this.#isIdle, IDLE_MS);
  }

  /** Sends this many per second from now on, what is due in so many ms together. */
  async rate(perSecond: number, { tickMs = TICK_MS, throughIntake = false } = {}): Promise<void> {
    const segments = this.#segments.length;
    this.#tell({ kind: "rate", perSecond, tickMs, throughIntake });
    await this.#until("the load's rate to change", () => this.#segments.length > segments, IDLE_MS);
  }

  /** Sends nothing more, and resolves when nothing is under way. */
  async pause(): Promise<void> {
    this.#tell({ kind: "rate", perSecond: 0, tickMs: TICK_MS, throughIntake: false });
    await this.#until("the load to pause", () => this.#isIdle, IDLE_MS);
  }

  /** Sends this many as fast as possible. */
  async burst(count: number): Promise<void> {
    this.#tell({ kind: "burst", count });
    await this.#until(`${count} transactions to be sent`, () => this.#isIdle, IDLE_MS);
  }

  async stop(): Promise<void> {
    this.#process.send({ kind: "stop" } satisfies LoadCommand);
    const timer = setTimeout(() => this.#process.kill(), 5_000);
    await this.#process.ended;
    clearTimeout(timer);
  }

  #tell(command: LoadCommand): void {
    this.#isIdle = false;
    this.#process.send(command);
  }

  async #until(what: string, condition: () => boolean, timeoutMs: number): Promise<void> {
    await poll(what, () => this.#ended || condition(), { timeoutMs, intervalMs: 20, signal: this.#signal });
    if (this.#ended) throw new UserError("the process that sends transactions has ended. See the lines above.");
  }

  #onNews(news: LoadNews): void {
    if (news.kind === "ready") this.#isReady = true;
    else if (news.kind === "segment") this.#segments.push(news);
    else {
      this.#sent = news.total;
      if (news.kind === "idle") this.#isIdle = true;
    }
  }
}
