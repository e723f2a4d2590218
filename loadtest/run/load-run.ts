import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { addresses, flinkClient, poll, type RunningCluster } from "../../cluster/index.js";
import { knownInputs } from "../verify/known.js";
import { countWritten, noOpenTransaction, type ReadBack, readBack } from "../verify/read.js";
import { type Verification, verify } from "../verify/verify.js";
import { type Acknowledged, atMost, type K6Load, type LoadOptions, startLoad } from "./k6-plan.js";
import { abortedHidden, everyAcknowledged, noneRejected, numberIn } from "./properties.js";
import { type Watch, watchRun } from "./watch.js";

const HOST = "127.0.0.1";
/** No decision came for so long: what is missing stays missing. */
const STUCK_MS = 90_000;
const CHECKPOINT_LIMIT_MS = 120_000;

/** A load whose records are judged. */
interface JudgedLoad {
  readonly verification: Verification;
  readonly acknowledged: readonly Acknowledged[];
  readonly watch: Watch;
  /** When each transaction stood in `transactions.valid`, by its number. */
  readonly acceptedAtMs: ReadonlyMap<number, number>;
}

/** A judged load, when k6 has ended. */
export interface LoadResult extends JudgedLoad {
  /** k6's exit code: 0 when every threshold held. */
  readonly k6ExitCode: number;
  /** k6's summary, as it prints it. */
  readonly k6Summary: string;
}

export interface LoadRunOptions extends LoadOptions {
  /** Settings that the functions have had besides the defaults. */
  readonly settings?: readonly unknown[];
  /** What must be over before the judgement: the faults. Its result says whether the job restarted while it produced. */
  readonly beforeJudging?: () => Promise<{ readonly jobRestarted: boolean }>;
  readonly onProgress: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Drives a load by k6 and judges it when it is over: {@link startLoadRun}. */
export interface LoadRun {
  readonly watch: Watch;
  readonly load: K6Load;
  /** Resolves when all is judged and k6 has ended. */
  readonly result: Promise<LoadResult>;
}

/** Starts k6 against a cluster's HTTP door, watches what comes out, and judges it in the end. */
export async function startLoadRun(cluster: RunningCluster, options: LoadRunOptions): Promise<LoadRun> {
  const { kafka: brokers, intake } = addresses(cluster.settings);
  const watch = await watchRun({ brokers, runId: options.runId, transactions: atMost(options.stages), firstVisible: !options.untilAcknowledged });
  let judged: JudgedLoad | undefined;
  let failure: Error | undefined;
  // k6 asks for the verdict when it has sent everything, and shows it among its own metrics.
  const server = createServer((request, response) => {
    if (request.method !== "POST" || request.url !== "/verdict") return void response.writeHead(404).end();
    judge().then(
      (found) => {
        judged = found;
        response.setHeader("content-type", "application/json").end(JSON.stringify(verdictFor(found)));
      },
      (error: unknown) => {
        failure = error instanceof Error ? error : new Error(String(error));
        response.writeHead(500).end();
      },
    );
  });
  server.requestTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  let output = "";
  const load = startLoad(options, { intake, verifier: `http://${HOST}:${(server.address() as AddressInfo).port}` }, (text) => (output += text));
  options.signal?.addEventListener("abort", () => load.stop(), { once: true });

  async function judge(): Promise<JudgedLoad> {
    const { jobRestarted } = (await options.beforeJudging?.()) ?? { jobRestarted: false };
    const acknowledged = load.acknowledged();
    const sent = acknowledged.reduce((sum, { count }) => sum + count, 0);
    await allDecided(watch, sent, options);
    const back = await quietReadBack(cluster, options);
    options.onProgress("looking for open transactions");
    const more = [
      noneRejected(back.records),
      ...(await watch.stop(back)),
      abortedHidden(await countWritten(brokers), back.outputs.length, jobRestarted),
      await noOpenTransaction(brokers),
      everyAcknowledged(acknowledged, back.records, options.runId),
    ];
    options.onProgress("replaying every address");
    return { verification: verify(back.records, knownInputs(options.settings), more), acknowledged, watch, acceptedAtMs: acceptedTimes(back, options.runId) };
  }

  const result = (async (): Promise<LoadResult> => {
    try {
      const k6ExitCode = await load.finished;
      options.signal?.throwIfAborted();
      if (judged === undefined) throw failure ?? new Error(`k6 ended (exit code ${k6ExitCode}) before it asked for the verdict:\n${output.slice(-2000)}`);
      return { ...judged, k6ExitCode, k6Summary: output };
    } finally {
      server.close();
      server.closeAllConnections();
      if (judged === undefined) await watch.abandon();
    }
  })();
  result.catch(() => undefined);
  return { watch, load, result };
}

async function allDecided(watch: Watch, sent: number, { onProgress, signal }: LoadRunOptions): Promise<void> {
  for (let decided = watch.decided(); decided < sent; decided = watch.decided()) {
    onProgress(`${decided} of ${sent} decided`);
    try {
      await poll("a decision", () => watch.decided() > decided, { timeoutMs: STUCK_MS, signal });
    } catch {
      signal?.throwIfAborted();
      return;
    }
  }
}

/** Reads the topics when nothing changes any more: a late repetition would show, and the last timers have fired. */
async function quietReadBack(cluster: RunningCluster, { onProgress, signal }: LoadRunOptions): Promise<ReadBack> {
  const { kafka: brokers } = addresses(cluster.settings);
  onProgress("waiting for two more checkpoints");
  await flinkClient(cluster.settings).waitForCheckpoints(2, CHECKPOINT_LIMIT_MS, signal);
  onProgress("reading the topics");
  let back = await readBack(brokers);
  const end = Date.now() + STUCK_MS;
  for (;;) {
    await flinkClient(cluster.settings).waitForCheckpoints(2, CHECKPOINT_LIMIT_MS, signal);
    const again = await readBack(brokers);
    // Alerts are closed by timers for half a minute.
    if (again.outputs.length === back.outputs.length || Date.now() > end) return again;
    back = again;
  }
}

function acceptedTimes({ records }: ReadBack, runId: string): Map<number, number> {
  const times = new Map<number, number>();
  for (const record of records.transactions) {
    const n = numberIn(record.value, runId);
    if (n !== undefined && !times.has(n)) times.set(n, record.timestampMs);
  }
  return times;
}

/** What k6 puts among its metrics. */
function verdictFor({ verification, acknowledged, watch }: JudgedLoad) {
  const { decisions, missing, duplicates, outOfOrder, mismatches, properties } = verification;
  // What has no counter of its own must fail the run too.
  const other = properties.reduce((sum, { violations }) => sum + violations, 0) - missing - duplicates - outOfOrder - mismatches;
  return { decisions, missing, duplicates, outOfOrder, mismatches: mismatches + other, committedLatencyMs: latencies(acknowledged, watch.committedAtMs), firstVisibleLatencyMs: latencies(acknowledged, watch.visibleAtMs) };
}

/** From when each transaction was sent first to when it was read, in ms. */
export function latencies(acknowledged: readonly Acknowledged[], readAtMs: Float64Array, within: (sentAtMs: number) => boolean = () => true): number[] {
  return acknowledged.flatMap(({ first, count, sentAtMs }) =>
    within(sentAtMs) ? Array.from({ length: count }, (_, at) => readAtMs[first + at]!).flatMap((readAt) => (readAt === 0 ? [] : [readAt - sentAtMs])) : [],
  );
}

/** The value below which a share of the numbers lies; `undefined` without any. */
export function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
