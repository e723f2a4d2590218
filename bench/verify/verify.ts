import { thisMachine, writeJsonReport } from "../../cluster/json-report.js";
import { stepView } from "../../cluster/terminal/step-view.js";
import { spanMs } from "../../loadtest/k6/traffic.js";
import { RunNotes } from "../../loadtest/run/properties.js";
import { knownInputs } from "../../loadtest/verify/known.js";
import { nowAndThen } from "../../loadtest/verify/progress.js";
import { RecordStore } from "../../loadtest/verify/store.js";
import { verifyStored } from "../../loadtest/verify/verify.js";
import { decidedRecords } from "./decided-records.js";

const DAY_MS = 24 * 3_600_000;
const ACCOUNTS = 5_000;
const MERCHANTS = 500;
const LOOK_EVERY = 5_000;
const MB = 2 ** 20;

/**
 * What the verifier takes for so many transactions: everything but reading them from Kafka. Writes `reports/bench-verify.json`.
 */
export async function benchVerify(transactions: number, signal: AbortSignal): Promise<void> {
  const step = stepView();
  const runId = "bench";
  const run = { runId, accounts: ACCOUNTS, merchants: MERCHANTS, startMs: Date.now() - DAY_MS - spanMs(transactions, ACCOUNTS) };
  const store = new RecordStore();
  const notes = new RunNotes(runId, transactions);
  let heap = 0;
  const look = (): void => {
    heap = Math.max(heap, process.memoryUsage().heapUsed);
  };
  try {
    let storedMs = 0;
    let records = 0;
    await step(`${transactions.toLocaleString("en")} transactions, decided in memory`, async (onProgress) => {
      const progress = nowAndThen(onProgress);
      for await (const record of decidedRecords(run, transactions)) {
        const beganMs = performance.now();
        store.add(record);
        notes.note(record);
        storedMs += performance.now() - beganMs;
        if (++records % LOOK_EVERY > 0) continue;
        look();
        signal.throwIfAborted();
        progress(() => `${records.toLocaleString("en")} records`);
      }
    });
    const beganMs = performance.now();
    const found = await step("replaying every address", (onProgress) =>
      verifyStored(store, knownInputs(), {
        onProgress: (line) => {
          look();
          onProgress(line);
        },
        signal,
      }),
    );
    const judgedMs = performance.now() - beganMs;
    if (found.verdict !== "pass" || found.decisions !== transactions || notes.noneRejected().violations > 0) throw new Error(`the verifier finds fault with a good run: ${JSON.stringify(found.properties.filter(({ violations }) => violations > 0))}`);
    const report = {
      transactions,
      records,
      storedSeconds: Math.round(storedMs / 1000),
      judgedSeconds: Math.round(judgedMs / 1000),
      peakHeapMb: Math.round(heap / MB),
      /** Of the whole process, that made the records too. */
      peakResidentMb: Math.round(process.resourceUsage().maxRSS / 1024),
      fileMb: Math.round(store.fileBytes / MB),
      machine: thisMachine(),
    };
    writeJsonReport("reports/bench-verify.json", report);
  } finally {
    store.close();
  }
}
