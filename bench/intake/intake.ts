import { readFileSync } from "node:fs";

import { clusterStatus } from "../../cluster/control.js";
import { type Cluster, clusterSettings, endpoints, startCluster } from "../../cluster/index.js";
import type { Part } from "../../cluster/settings.js";
import { INTAKE_GROUP, TOPICS } from "../../contract/topics.js";
import { runGenerator } from "../../ingress-generator/producer.js";
import { lagOf } from "../../kafka/offsets.js";
import { poll } from "../../process/poll.js";
import { startModule } from "../../process/run-command.js";
import { thisMachine, writeJsonReport } from "../../terminal/json-report.js";
import { stepView } from "../../terminal/step-view.js";
import { ensureTools } from "../../tools/index.js";
import { cpuSeconds } from "../process-cpu.js";

const RATE = 500;
const WARM_UP_MS = 30_000;
const MEASURED_MS = 60_000;
const WARM_UP_RECORDS = 50_000;
const HTTP_1 = 60_000;
const HTTP_100 = 300_000;
const KAFKA = 1_000_000;
const SAMPLES = 10;
const LIMIT_MS = 900_000;
const MEASURED_PARTS = [
  "intake",
  "taskmanager",
  "functions",
  "minio",
  "kafka",
  "jobmanager",
] as const satisfies readonly Part[];

/** What one way in costs. */
interface Way {
  readonly transactions: number;
  readonly perSecond: number;
  /** Of the intake (of the producer itself for `bare-kafkajs`), in microseconds a transaction. */
  readonly cpuMicros: number;
}

/**
 * What the doors cost: next to the rest of the pipeline at a steady load, and alone at full speed, with a bare kafkajs
 * producer in the same run. Writes `reports/bench-intake.json`.
 */
export async function benchIntake(signal: AbortSignal): Promise<void> {
  const step = stepView();
  await step("tools", (onProgress) => ensureTools({ onProgress }));
  const settings = clusterSettings({
    name: "bench-intake",
    portOffset: 18_000,
    serverEnv: { INTAKE_MAX_BACKLOG_SECONDS: "0" },
  });
  const cluster = await startCluster(settings, { step, restart: false, fresh: true, signal });
  try {
    const share = await step(`the pipeline at ${RATE}/s`, () => pipelineShare(cluster, signal));
    // From here on the doors have the machine to themselves. Nothing is decided any more, and they take it all the
    // same.
    for (const part of ["taskmanager", "jobmanager", "functions"] as const) cluster.kill(part);
    const ways: Record<string, Way> = {};
    await step("warming the doors up", async () => {
      await client(cluster, "kafkajs", WARM_UP_RECORDS, "warm", signal);
      await drained(cluster, signal);
      await client(cluster, "http-100", WARM_UP_RECORDS, "warm100", signal);
    });
    ways["http-1"] = await step("HTTP, one a request", () => throughHttp(cluster, "http-1", HTTP_1, signal));
    ways["http-100"] = await step("HTTP, a hundred a request", () =>
      throughHttp(cluster, "http-100", HTTP_100, signal),
    );
    cluster.pause("intake");
    ways["bare-kafkajs"] = await step("a bare kafkajs producer", async () => {
      const { seconds, cpuSeconds: used } = await client(cluster, "kafkajs", KAFKA, "bulk", signal);
      return way(KAFKA, seconds, used);
    });
    cluster.resume("intake");
    const residentMb: number[] = [];
    ways["kafka"] = await step("the Kafka door", async (progress) => {
      const pid = await intakePid(cluster);
      const before = cpuSeconds(pid);
      const beganMs = Date.now();
      for (let sample = 1; sample <= SAMPLES; sample++) {
        const left = (KAFKA * (SAMPLES - sample)) / SAMPLES;
        await poll("the intake to read on", async () => (await behind(cluster)) <= left, {
          timeoutMs: LIMIT_MS,
          intervalMs: 100,
          signal,
        });
        residentMb.push(residentOf(pid));
        progress(`${KAFKA - left} of ${KAFKA}, ${residentMb.at(-1)} MB`);
      }
      return way(KAFKA, (Date.now() - beganMs) / 1000, cpuSeconds(pid) - before);
    });
    for (const [name, { perSecond, cpuMicros }] of Object.entries(ways))
      process.stdout.write(`${name.padEnd(14)} ${perSecond} transactions/s, ${cpuMicros} µs of processor time each\n`);
    process.stdout.write(
      `the pipeline at ${RATE}/s, µs a transaction: ${JSON.stringify(share.cpuMicros)}: the intake is ${share.intakePercent}%\nmemory of the intake over ${KAFKA} transactions, MB: ${residentMb.join(" ")}\n`,
    );
    writeJsonReport("reports/bench-intake.json", {
      machine: thisMachine(),
      pipeline: { rate: RATE, ...share },
      ways,
      residentMb,
    });
  } finally {
    await cluster.stop();
  }
}

async function pipelineShare(
  { settings }: Cluster,
  signal: AbortSignal,
): Promise<{ cpuMicros: Readonly<Record<string, number>>; intakePercent: number }> {
  const stop = new AbortController();
  let sent = 0;
  const generating = runGenerator({
    brokers: endpoints(settings).kafka,
    seed: 7,
    runId: "share",
    rate: RATE,
    accounts: 2_000,
    signal: AbortSignal.any([stop.signal, signal]),
    onSend: ({ kind }) => void (kind === "transaction" && sent++),
  });
  const beganMs = Date.now();
  await poll("the warm-up to end", () => Date.now() - beganMs >= WARM_UP_MS, { timeoutMs: WARM_UP_MS * 2, signal });
  const { parts } = await clusterStatus(settings);
  const cpu = () => MEASURED_PARTS.map((part) => cpuSeconds(parts.find((status) => status.part === part)!.pid!));
  const before = cpu();
  const sentBefore = sent;
  await poll("the measurement to end", () => Date.now() - beganMs >= WARM_UP_MS + MEASURED_MS, {
    timeoutMs: MEASURED_MS * 2,
    signal,
  });
  const micros = cpu().map((after, at) => Math.round(((after - before[at]!) / (sent - sentBefore)) * 1e6));
  stop.abort();
  await generating;
  const sum = micros.reduce((total, one) => total + one, 0);
  return {
    cpuMicros: Object.fromEntries(MEASURED_PARTS.map((part, at) => [part, micros[at]!])),
    intakePercent: Math.round((micros[0]! / sum) * 1000) / 10,
  };
}

async function throughHttp(cluster: Cluster, name: string, transactions: number, signal: AbortSignal): Promise<Way> {
  const pid = await intakePid(cluster);
  const before = cpuSeconds(pid);
  const { seconds } = await client(cluster, name, transactions, name, signal);
  return way(transactions, seconds, cpuSeconds(pid) - before);
}

const way = (transactions: number, seconds: number, cpu: number): Way => ({
  transactions,
  perSecond: Math.round(transactions / seconds),
  cpuMicros: Math.round((cpu / transactions) * 1e7) / 10,
});

async function client(
  { settings }: Cluster,
  name: string,
  count: number,
  run: string,
  signal: AbortSignal,
): Promise<{ seconds: number; cpuSeconds: number }> {
  const { kafka, intake } = endpoints(settings);
  const child = startModule("bench/intake/client.ts", {
    BENCH_CLIENT: name,
    BENCH_COUNT: String(count),
    BENCH_RUN: run,
    KAFKA: kafka,
    INTAKE: intake,
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const end = (): void => void child.kill("SIGTERM");
  signal.addEventListener("abort", end, { once: true });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  signal.removeEventListener("abort", end);
  signal.throwIfAborted();
  if (code !== 0) throw new Error(`the client ${name} ended with ${code}`);
  return JSON.parse(output) as { seconds: number; cpuSeconds: number };
}

const drained = (cluster: Cluster, signal: AbortSignal) =>
  poll("the intake to have read all", async () => (await behind(cluster)) === 0, { timeoutMs: LIMIT_MS, signal });

/** How many records the Kafka door has yet to read. */
const behind = async ({ settings }: Cluster): Promise<number> =>
  Number(await lagOf(endpoints(settings).kafka, INTAKE_GROUP, [TOPICS.transactions.name]));

async function intakePid({ settings }: Cluster): Promise<number> {
  return (await clusterStatus(settings)).parts.find(({ part }) => part === "intake")!.pid!;
}

/** Resident memory of a process, in MB. Linux only. */
function residentOf(pid: number): number {
  return Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024);
}
