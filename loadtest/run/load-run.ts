import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { endpoints, flinkClient, type RunningCluster } from "../../cluster/index.js";
import { poll } from "../../process/poll.js";
import { knownInputs } from "../../verifier/known.js";
import { committedSince, countWritten, noOpenTransaction, outputEnds, readBack } from "../../verifier/read.js";
import { type Verification, verifyStored } from "../../verifier/verify.js";
import { k6Door } from "./k6-door.js";
import { type Acknowledged, atMost, type K6Load, type LoadOptions, startLoad } from "./k6-plan.js";
import { abortedHidden, everyAcknowledged, RunNotes } from "./properties.js";
import { type Watch, watchRun } from "./watch.js";

const HOST = "127.0.0.1";
/** When no decision has come for this long, what is missing stays missing. */
const STUCK_MS = 90_000;
const CHECKPOINT_LIMIT_MS = 300_000;

/** A load whose records are judged. */
interface JudgedLoad {
  readonly verification: Verification;
  readonly acknowledged: readonly Acknowledged[];
  readonly watch: Watch;
  /**
   * When each transaction was written to `transactions.valid`, by its number, in ms since 1970; NaN: it is not there.
   */
  readonly acceptedAtMs: Float64Array;
}

/** A judged load, when k6 has ended. */
export interface LoadResult extends JudgedLoad {
  /** k6's exit code: 0 when every threshold held. */
  readonly k6ExitCode: number;
  /** k6's summary, as it prints it. */
  readonly k6Summary: string;
  /** What went wrong with k6, if it ended before it asked for the judgement; whatever there was is judged anyway. */
  readonly k6Problem?: string;
}

export interface LoadRunOptions extends LoadOptions {
  /** Settings that the functions have had in addition to the defaults. */
  readonly settings?: readonly unknown[];
  /**
   * What must be over before the judgement: the faults. Its result says whether the job restarted while it produced.
   */
  readonly beforeJudging?: () => Promise<{ readonly jobRestarted: boolean }>;
  readonly onProgress: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Drives a load with k6 and judges it when it is over: {@link startLoadRun}. */
export interface LoadRun {
  readonly watch: Watch;
  readonly load: K6Load;
  /** Resolves when all is judged and k6 has ended. */
  readonly result: Promise<LoadResult>;
}

/** Starts k6 against a cluster's HTTP door, watches what comes out, and judges it in the end. */
export async function startLoadRun(cluster: RunningCluster, options: LoadRunOptions): Promise<LoadRun> {
  const { kafka: brokers, intake } = endpoints(cluster.settings);
  const watch = await watchRun({
    brokers,
    runId: options.runId,
    transactions: atMost(options.stages),
    firstVisible: !options.untilAcknowledged,
  });
  let judged: Promise<JudgedLoad> | undefined;
  // k6 asks for the judgement when it has sent everything, and shows it among its own metrics.
  const server = createServer(k6Door(async () => metricsFor(await (judged = judge()))));
  server.requestTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  let output = "";
  const load = startLoad(
    options,
    { intake, verifier: `http://${HOST}:${(server.address() as AddressInfo).port}` },
    (text) => (output += text),
  );
  options.signal?.addEventListener("abort", () => load.stop(), { once: true });

  async function judge(): Promise<JudgedLoad> {
    const { jobRestarted } = (await orAborted(options.beforeJudging?.(), options.signal)) ?? { jobRestarted: false };
    const acknowledged = load.acknowledged();
    const sent = acknowledged.reduce((sum, { count }) => sum + count, 0);
    await allDecided(watch, sent, options);
    await quiet(cluster, options);
    const { onProgress, signal, runId } = options;
    onProgress("reading the topics");
    const notes = new RunNotes(runId, atMost(options.stages));
    const { records, partitions } = await readBack(brokers, {
      onRecord: (record) => notes.note(record),
      onProgress,
      signal,
    });
    try {
      const agreed = await watch.stop(notes, partitions);
      onProgress("counting what was written");
      const written = await countWritten(brokers, { onProgress, signal });
      onProgress("looking for open transactions");
      const more = [
        notes.noneRejected(),
        ...agreed,
        abortedHidden(written, notes.outputs.size, jobRestarted),
        await noOpenTransaction(brokers),
        everyAcknowledged(acknowledged, notes, runId),
      ];
      onProgress("replaying every address");
      return {
        verification: await verifyStored(records, knownInputs(options.settings), { more, onProgress, signal }),
        acknowledged,
        watch,
        acceptedAtMs: notes.acceptedAtMs,
      };
    } finally {
      records.close();
    }
  }

  const result = (async (): Promise<LoadResult> => {
    let isJudged = false;
    try {
      const k6ExitCode = await load.finished;
      options.signal?.throwIfAborted();
      const early =
        judged === undefined &&
        `k6 ended (exit code ${k6ExitCode}) before it asked for the judgement${lastLine(output)}`;
      const found = await (judged ?? judge());
      isJudged = true;
      return {
        ...found,
        k6ExitCode: early === false ? k6ExitCode : k6ExitCode || 1,
        k6Summary: output,
        ...(early !== false && { k6Problem: early }),
      };
    } finally {
      server.close();
      server.closeAllConnections();
      if (!isJudged) await watch.abandon();
    }
  })();
  result.catch(() => undefined);
  return { watch, load, result };
}

/** The last thing that a program said, after a colon. */
function lastLine(output: string): string {
  const line = output.trimEnd().split("\n").at(-1)?.trim() ?? "";
  return line === "" ? "" : `: ${line.slice(0, 300)}`;
}

/** Waits for something, unless that is given up before. By then what would have ended the wait may be gone. */
async function orAborted<T>(awaited: T | Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  signal?.throwIfAborted();
  let given: () => void = () => undefined;
  const end = new Promise<never>((_, reject) =>
    signal?.addEventListener("abort", (given = () => reject(signal.reason as Error)), { once: true }),
  );
  try {
    return await Promise.race([awaited, end]);
  } finally {
    signal?.removeEventListener("abort", given);
  }
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

/** Waits until nothing changes any more, so that a late repetition would show and the last timers have fired. */
async function quiet(cluster: RunningCluster, { onProgress, signal }: LoadRunOptions): Promise<void> {
  const { kafka: brokers } = endpoints(cluster.settings);
  const flink = flinkClient(cluster.settings);
  onProgress("waiting for two more checkpoints");
  await flink.waitForCheckpoints(2, CHECKPOINT_LIMIT_MS, signal);
  onProgress("waiting until nothing more is committed");
  const limit = Date.now() + STUCK_MS;
  for (let ends = await outputEnds(brokers); ;) {
    await flink.waitForCheckpoints(2, CHECKPOINT_LIMIT_MS, signal);
    const since = await committedSince(brokers, ends);
    // Timers close alerts for half a minute.
    if (since.count === 0 || Date.now() > limit) return;
    ends = since.ends;
  }
}

/** The counts that k6 adds to its metrics. */
function metricsFor({ verification, acknowledged, watch }: JudgedLoad) {
  const { decisions, missing, duplicates, outOfOrder, mismatches, properties } = verification;
  // Violations without their own counter must fail the run too.
  const other =
    properties.reduce((sum, { violations }) => sum + violations, 0) - missing - duplicates - outOfOrder - mismatches;
  return {
    decisions,
    missing,
    duplicates,
    outOfOrder,
    mismatches: mismatches + other,
    committedLatencyMs: [...latencies(acknowledged, watch.committedAtMs)],
    firstVisibleLatencyMs: [...latencies(acknowledged, watch.visibleAtMs)],
  };
}

/** The time from when each transaction was first sent to when it was read, in ms. */
export function latencies(
  acknowledged: readonly Acknowledged[],
  readAtMs: Float64Array,
  within: (sentAtMs: number) => boolean = () => true,
): Float64Array {
  const wanted = acknowledged.filter(({ sentAtMs }) => within(sentAtMs));
  const found = new Float64Array(wanted.reduce((sum, { count }) => sum + count, 0));
  let length = 0;
  for (const { first, count, sentAtMs } of wanted) {
    for (const readAt of readAtMs.subarray(first, first + count)) if (readAt > 0) found[length++] = readAt - sentAtMs;
  }
  return found.subarray(0, length);
}
