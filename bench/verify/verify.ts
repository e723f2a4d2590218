import { setImmediate } from "node:timers/promises";

import { RunNotes } from "../../loadtest/run/properties.js";
import { thisMachine, writeJsonReport } from "../../terminal/json-report.js";
import { stepView } from "../../terminal/step-view.js";
import { knownInputs } from "../../verifier/known.js";
import { nowAndThen } from "../../verifier/progress.js";
import { RecordStore } from "../../verifier/store.js";
import { type Verification, verifyStored } from "../../verifier/verify.js";
import { decidedRecords } from "./decided-records.js";

const LOOK_EVERY = 5_000;
const LOOK_MS = 100;
const MB = 2 ** 20;

/**
 * What the verifier takes for this many transactions: everything but reading them from Kafka. Writes
 * `reports/bench-verify.json`.
 */
export async function benchVerify(atLeast: number, signal: AbortSignal): Promise<void> {
  const step = stepView();
  const { transactions, records } = await step("transactions decided in memory", (onProgress) =>
    decidedRecords(atLeast, onProgress),
  );
  const store = new RecordStore();
  const notes = new RunNotes("bench", transactions);
  let heap = 0;
  const look = (): void => {
    heap = Math.max(heap, process.memoryUsage().heapUsed);
  };
  try {
    let count = 0;
    const stored = await timed(() =>
      step(`the records of ${transactions.toLocaleString("en")} transactions stored`, async (onProgress) => {
        const progress = nowAndThen(onProgress);
        for (const record of records) {
          store.add(record);
          notes.note(record);
          if (++count % LOOK_EVERY > 0) continue;
          look();
          await setImmediate();
          signal.throwIfAborted();
          progress(() => `${count.toLocaleString("en")} records`);
        }
      }),
    );
    let found: Verification | undefined;
    const judged = await timed(() =>
      step("replaying every address", async (onProgress) => {
        const timer = setInterval(look, LOOK_MS);
        try {
          found = await verifyStored(store, knownInputs(), { onProgress, signal });
        } finally {
          clearInterval(timer);
        }
      }),
    );
    const broken = found!.properties.filter(({ violations }) => violations > 0);
    if (found!.verdict !== "pass" || found!.decisions !== transactions)
      throw new Error(`the verifier finds fault with a good run: ${JSON.stringify(broken)}`);
    const report = {
      transactions,
      records: count,
      stored,
      judged,
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

async function timed(work: () => Promise<void>): Promise<{ readonly seconds: number; readonly cpuSeconds: number }> {
  const [beganMs, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { seconds: Math.round((performance.now() - beganMs) / 1000), cpuSeconds: Math.round((user + system) / 1e6) };
}
