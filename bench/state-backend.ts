import { clusterSettings, endpoints, flinkClient, startCluster } from "../cluster/index.js";
import { contentHash } from "../contract/content-hash.js";
import { LIMITS } from "../contract/limits.js";
import { TOPICS } from "../contract/topics.js";
import type { StateBackend } from "../flink/flink.js";
import { Latencies } from "../ingress-generator/latencies.js";
import { runGenerator } from "../ingress-generator/producer.js";
import { kafkaClient, Partitioners } from "../kafka/client.js";
import { followTopics } from "../kafka/consumer.js";
import { poll } from "../process/poll.js";
import { Decision } from "../protos/gen/fraud/v1/decision.js";
import { Transaction } from "../protos/gen/fraud/v1/transaction.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import { thisMachine, writeJsonReport } from "../terminal/json-report.js";
import { stepView } from "../terminal/step-view.js";
import { ensureTools } from "../tools/index.js";
import { microsEach, partTimes } from "./part-times.js";

const ADDRESSES = 15_000;
const RATE = 1_000;
const WARM_UP_MS = 30_000;
const MEASURED_MS = 60_000;

export interface StateBackendOptions {
  /** Of each address. */
  readonly stateBytes: number;
  /** How often each backend is measured. */
  readonly rounds: number;
}

/** One backend's figures. */
interface Figures {
  readonly backend: StateBackend;
  readonly round: number;
  readonly decided: number;
  readonly committedLatencyMs: { readonly p50: number; readonly p99: number };
  readonly checkpoints: { readonly completed: number; readonly lastDurationMs: number; readonly lastBytes: number };
  /** Processor time a decided transaction, in microseconds, by part. */
  readonly cpuMicrosPerTransaction: Readonly<Record<string, number>>;
}

/**
 * Compares Flink's two state backends under the pipeline, one after the other, in turns. Writes
 * `reports/bench-state-backend.json`.
 */
export async function benchStateBackend(
  { stateBytes, rounds }: StateBackendOptions,
  signal: AbortSignal,
): Promise<void> {
  const step = stepView();
  await step("tools", (onProgress) => ensureTools({ onProgress }));
  const figures: Figures[] = [];
  for (let round = 1; round <= rounds; round++) {
    // The order turns, so that neither always has the machine when it is fresh.
    for (const backend of round % 2 === 1 ? (["rocksdb", "hashmap"] as const) : (["hashmap", "rocksdb"] as const)) {
      const measured = await step(`${backend}, round ${round}`, (progress) =>
        measure({ backend, round, stateBytes }, progress, signal),
      );
      figures.push(measured);
      process.stdout.write(`${JSON.stringify(measured)}\n`);
    }
  }
  writeJsonReport("reports/bench-state-backend.json", {
    addresses: ADDRESSES,
    stateBytes,
    rate: RATE,
    machine: thisMachine(),
    figures,
  });
}

async function measure(
  { backend, round, stateBytes }: { backend: StateBackend; round: number; stateBytes: number },
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<Figures> {
  const settings = clusterSettings({ name: "bench", portOffset: 18_000, stateBackend: backend });
  const brokers = endpoints(settings).kafka;
  const flink = flinkClient(settings);
  const cluster = await startCluster(settings, {
    step: async (title, work) => (progress(title), await work(() => undefined)),
    restart: false,
    fresh: true,
    signal,
  });
  const latencies = new Latencies((RATE * MEASURED_MS) / 1000);
  const dueAt = new Map<string, number>();
  let measuring = false;
  let decided = 0;
  let preloaded = 0;
  const reader = await followTopics({
    brokers,
    topics: [TOPICS.decisions.name],
    from: "end",
    onRecord: ({ value, arrivedAtMs }) => {
      const id = Decision.decode(Any.decode(value!).value).evidence!.transaction!.transactionId;
      if (id.startsWith("load-p")) return void preloaded++;
      if (!measuring) return;
      decided++;
      latencies.add(arrivedAtMs - dueAt.get(id)!);
    },
  });
  try {
    progress(`loading ${ADDRESSES} addresses with ${stateBytes} bytes each`);
    await preload(brokers, stateBytes, signal);
    await poll("the load to be decided", () => preloaded >= ADDRESSES, { timeoutMs: 180_000, signal });

    const stop = new AbortController();
    const generating = runGenerator({
      brokers,
      target: "valid",
      seed: 7,
      runId: "load",
      rate: RATE,
      accounts: ADDRESSES,
      signal: AbortSignal.any([stop.signal, signal]),
      onSend: (item, at) => item.kind === "transaction" && dueAt.set(item.message.transactionId, at),
    });
    const startedAt = Date.now();
    progress(`warming up at ${RATE}/s`);
    await poll("the warm-up to end", () => Date.now() - startedAt >= WARM_UP_MS, { timeoutMs: WARM_UP_MS * 2, signal });
    const cpuBefore = partTimes(settings);
    const checkpointsBefore = await flink.checkpoints();
    measuring = true;
    progress(`measuring at ${RATE}/s`);
    await poll("the measurement to end", () => Date.now() - startedAt >= WARM_UP_MS + MEASURED_MS, {
      timeoutMs: MEASURED_MS * 2,
      signal,
    });
    measuring = false;
    const cpuAfter = partTimes(settings);
    const checkpoints = await flink.checkpoints();
    stop.abort();
    await generating;
    const [p50, p99] = latencies.quantiles(0.5, 0.99);
    if (checkpoints === "unreachable" || checkpointsBefore === "unreachable") throw new Error("Flink did not answer");
    return {
      backend,
      round,
      decided,
      committedLatencyMs: { p50: Math.round(p50 ?? 0), p99: Math.round(p99 ?? 0) },
      checkpoints: {
        completed: checkpoints.completed - checkpointsBefore.completed,
        lastDurationMs: checkpoints.last?.durationMs ?? 0,
        lastBytes: checkpoints.last?.bytes ?? 0,
      },
      cpuMicrosPerTransaction: microsEach(cpuBefore, cpuAfter, decided),
    };
  } finally {
    await reader.stop();
    await cluster.stop();
  }
}

/**
 * One transaction for each account that leaves so much in its state: by the name of the topic that it says it comes
 * from.
 */
async function preload(brokers: string, stateBytes: number, signal: AbortSignal): Promise<void> {
  const producer = kafkaClient(brokers, "bench-load").producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const digits = String(ADDRESSES).length;
  const topic = "t".repeat(stateBytes - 300);
  // Of one request: Kafka takes no larger batches there.
  const records = Math.floor(LIMITS.recordBytes / (stateBytes + 500));
  for (let from = 1; from <= ADDRESSES; from += records) {
    signal.throwIfAborted();
    const messages = Array.from({ length: Math.min(records, ADDRESSES - from + 1) }, (_, n) => {
      const accountId = `load-a${String(from + n).padStart(digits, "0")}`;
      const transaction = Transaction.fromPartial({
        transactionId: `load-p${from + n}`,
        accountId,
        merchantId: `load-m${(n % 200) + 1}`,
        amountMinor: 1000n,
        currency: "EUR",
        eventTimeMs: 1_400_000_000_000n,
        origin: { topic, partition: 0, offset: BigInt(n) },
      });
      transaction.contentHash = contentHash(transaction);
      return { key: accountId, value: Buffer.from(Transaction.encode(transaction).finish()) };
    });
    await producer.send({ topic: TOPICS.transactionsValid.name, messages });
  }
  await producer.disconnect();
}
