import { setTimeout as delay } from "node:timers/promises";

import { clusterStatus } from "../../cluster/control.js";
import { type Cluster, clusterSettings, endpoints, startCluster } from "../../cluster/index.js";
import { type Part, withDashboard } from "../../cluster/settings.js";
import { TOPICS } from "../../contract/topics.js";
import { Latencies } from "../../ingress-generator/latencies.js";
import { runGenerator } from "../../ingress-generator/producer.js";
import { followTopics } from "../../kafka/consumer.js";
import { poll } from "../../process/poll.js";
import { startModule } from "../../process/run-command.js";
import { Decision } from "../../protos/gen/fraud/v1/decision.js";
import { Any } from "../../protos/gen/google/protobuf/any.js";
import { thisMachine, writeJsonReport } from "../../terminal/json-report.js";
import { stepView } from "../../terminal/step-view.js";
import { UserError } from "../../terminal/user-error.js";
import { ensureTools } from "../../tools/index.js";
import { partTimes } from "../part-times.js";

const RATE = 1_000;
const ACCOUNTS = 5_000;
const WARM_UP_MS = 30_000;
/**
 * Opening hundreds of pages, or starting and stopping the web app, takes processors too, which is not what is measured:
 * so long ago it must be.
 */
const SETTLE_MS = 5_000;
/** Decisions come so late at most when nothing waits. */
const CALM_LAG_MS = 4_000;
const MEASURED_MS = 40_000;
const LIMIT_MS = 240_000;
/**
 * Open streams; `undefined`: no web app at all. There and back again, so that none always has the machine when it is
 * fresh.
 */
const ORDER = [undefined, 50, 500, 500, 50, undefined] as const;
const SEEN = 200_000;
const PARTS = ["taskmanager", "functions", "intake", "kafka", "jobmanager", "minio"] as const satisfies readonly Part[];

interface Figures {
  /** `without`, or how many streams. */
  readonly streams: number | "without";
  readonly decidedPerSecond: number;
  readonly committedLatencyMs: { readonly p50: number; readonly p99: number };
  /** Share of one processor, in percent. */
  readonly dashboardCpuPercent: number;
  readonly pipelineCpuPercent: number;
  /** A second, to all streams together. */
  readonly bytesPerSecond: number;
}

/**
 * What the pipeline decides at a steady load (straight into `transactions.valid`: what 2 cores just hold) without the
 * web app, and with 50 and 500 open pages. Writes `reports/bench-dashboard.json`.
 */
export async function benchDashboard(signal: AbortSignal): Promise<void> {
  const step = stepView();
  await step("tools", (onProgress) => ensureTools({ onProgress }));
  const settings = clusterSettings({ name: "bench-dashboard", portOffset: 22_500, application: withDashboard() });
  const cluster = await startCluster(settings, { step, restart: true, fresh: true, signal });
  const stop = new AbortController();
  const meter = new Meter();
  const reader = await followTopics({
    brokers: endpoints(settings).kafka,
    topics: [TOPICS.decisions.name],
    from: "end",
    maxWaitMs: 100,
    minBytes: 64 * 1024,
    onRecord: ({ value, arrivedAtMs }) => meter.onDecision(value!, arrivedAtMs),
  });
  const generating = runGenerator({
    brokers: endpoints(settings).kafka,
    target: "valid",
    seed: 7,
    runId: "bench",
    rate: RATE,
    accounts: ACCOUNTS,
    signal: AbortSignal.any([stop.signal, signal]),
    onSend: (item, dueAtMs) => item.kind === "transaction" && meter.onSent(item.message.transactionId, dueAtMs),
  });
  try {
    await step(`warming up at ${RATE}/s`, () => delay(WARM_UP_MS, undefined, { signal }));
    const figures: Figures[] = [];
    for (const streams of ORDER)
      figures.push(
        await step(streams === undefined ? "without the web app" : `with ${streams} open streams`, () =>
          measure(cluster, meter, streams, signal),
        ),
      );
    const mean = (streams: Figures["streams"]): number => {
      const of = figures.filter((one) => one.streams === streams).map(({ decidedPerSecond }) => decidedPerSecond);
      return of.reduce((sum, one) => sum + one, 0) / of.length;
    };
    const without = mean("without");
    const difference = Object.fromEntries(
      ([50, 500] as const).map((streams) => [streams, Math.round((mean(streams) / without - 1) * 1000) / 10]),
    );
    for (const one of figures)
      process.stdout.write(
        `${String(one.streams).padStart(7)} ${one.decidedPerSecond} decided/s, committed p50 ${one.committedLatencyMs.p50} ms p99 ${one.committedLatencyMs.p99} ms, web app ${one.dashboardCpuPercent}% of a processor, pipeline ${one.pipelineCpuPercent}%, ${Math.round(one.bytesPerSecond / 1024)} KB/s to the streams\n`,
      );
    process.stdout.write(
      `throughput next to that without: ${difference["50"]}% with 50 streams, ${difference["500"]}% with 500\n`,
    );
    writeJsonReport("reports/bench-dashboard.json", {
      machine: thisMachine(),
      rate: RATE,
      measuredSeconds: MEASURED_MS / 1000,
      figures,
      differencePercent: difference,
    });
  } finally {
    stop.abort();
    await generating;
    await reader.stop();
    await cluster.stop();
  }
}

async function measure(
  cluster: Cluster,
  meter: Meter,
  streams: number | undefined,
  signal: AbortSignal,
): Promise<Figures> {
  await withWebApp(cluster, streams !== undefined, signal);
  const pages = streams === undefined ? undefined : await openPages(cluster, streams, signal);
  const openedMs = Date.now();
  try {
    await delay(SETTLE_MS, undefined, { signal });
    await poll("the backlog to be gone", () => meter.lagMs < CALM_LAG_MS, { timeoutMs: LIMIT_MS, signal });
    const openMs = Date.now() - openedMs;
    const cpu = (): { pipeline: number; dashboard: number } => {
      const times = partTimes(cluster.settings);
      return {
        pipeline: PARTS.reduce((sum, part) => sum + times.get(part)!, 0),
        dashboard: times.get("dashboard") ?? 0,
      };
    };
    const before = cpu();
    meter.begin();
    const beganMs = Date.now();
    await delay(MEASURED_MS, undefined, { signal });
    const seconds = (Date.now() - beganMs) / 1000;
    const after = cpu();
    const { decided, p50, p99 } = meter.end();
    const received = await pages?.close();
    return {
      streams: streams ?? "without",
      decidedPerSecond: Math.round(decided / seconds),
      committedLatencyMs: { p50, p99 },
      dashboardCpuPercent: Math.round(((after.dashboard - before.dashboard) / seconds) * 100),
      pipelineCpuPercent: Math.round(((after.pipeline - before.pipeline) / seconds) * 100),
      bytesPerSecond: Math.round((received?.bytes ?? 0) / (seconds + openMs / 1000)),
    };
  } finally {
    await pages?.close();
  }
}

/** Starts or stops the web app. */
async function withWebApp(cluster: Cluster, wanted: boolean, signal: AbortSignal): Promise<void> {
  const runs = async (): Promise<boolean> =>
    (await clusterStatus(cluster.settings)).parts.some(({ part, healthy }) => part === "dashboard" && healthy);
  if ((await runs()) === wanted) return;
  if (wanted) await cluster.release("dashboard");
  else {
    cluster.hold("dashboard");
    cluster.kill("dashboard", "SIGTERM");
  }
  await poll(`the web app to ${wanted ? "answer" : "be gone"}`, async () => (await runs()) === wanted, {
    timeoutMs: LIMIT_MS,
    signal,
  });
}

async function openPages(
  cluster: Cluster,
  streams: number,
  signal: AbortSignal,
): Promise<{ close(): Promise<{ readonly bytes: number }> }> {
  const child = startModule("bench/dashboard/streams.ts", {
    DASHBOARD: endpoints(cluster.settings).dashboard,
    STREAMS: String(streams),
  });
  let output = "";
  let ended = false;
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const closed = new Promise<void>((resolve) =>
    child.once("close", () => {
      ended = true;
      resolve();
    }),
  );
  try {
    await poll(`${streams} streams to be open`, () => ended || output.includes("open\n"), {
      timeoutMs: LIMIT_MS,
      signal,
    });
  } catch (error) {
    child.kill("SIGTERM");
    throw error;
  }
  if (ended) throw new UserError(`the streams could not be opened: ${output}`);
  let result: Promise<{ bytes: number }> | undefined;
  return {
    close: () =>
      (result ??= (async () => {
        child.kill("SIGTERM");
        await closed;
        const figures = JSON.parse(output.slice(output.indexOf("{"))) as { open: number; ended: number; bytes: number };
        if (figures.open !== streams || figures.ended !== 0)
          throw new UserError(`of ${streams} streams ${figures.open} were open and ${figures.ended} ended early`);
        return figures;
      })()),
  };
}

/** Counts decisions and how long they took from when their transactions were due. */
class Meter {
  readonly #dueAtMs = new Map<string, number>();
  #decided = 0;
  #lagMs = Infinity;
  #latencies = new Latencies(SEEN);

  onSent(transactionId: string, dueAtMs: number): void {
    this.#dueAtMs.set(transactionId, dueAtMs);
  }

  onDecision(value: Buffer, nowMs: number): void {
    const { transactionId } = Decision.decode(Any.decode(value).value).evidence!.transaction!;
    const dueAtMs = this.#dueAtMs.get(transactionId);
    if (dueAtMs === undefined) return;
    this.#dueAtMs.delete(transactionId);
    this.#decided++;
    this.#lagMs = nowMs - dueAtMs;
    this.#latencies.add(nowMs - dueAtMs);
  }

  /** How late the newest decision came. */
  get lagMs(): number {
    return this.#lagMs;
  }

  begin(): void {
    this.#decided = 0;
    this.#latencies = new Latencies(SEEN);
  }

  end(): { readonly decided: number; readonly p50: number; readonly p99: number } {
    const [p50, p99] = this.#latencies.quantiles(0.5, 0.99);
    return { decided: this.#decided, p50: Math.round(p50 ?? 0), p99: Math.round(p99 ?? 0) };
  }
}
