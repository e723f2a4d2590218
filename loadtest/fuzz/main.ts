import { Command } from "commander";
import pc from "picocolors";

import { eventText } from "../../cluster/event-text.js";
import { type Cluster, clusterSettings, startCluster } from "../../cluster/index.js";
import { MAX_PORT_OFFSET } from "../../contract/ports.js";
import { newRunId } from "../../ingress-generator/producer.js";
import { INTERRUPTED, interrupted } from "../../terminal/interrupted.js";
import { writeJsonReport } from "../../terminal/json-report.js";
import { wholeNumber } from "../../terminal/option-values.js";
import { stepView } from "../../terminal/step-view.js";
import { visible } from "../../terminal/visible.js";
import { ensureTools } from "../../tools/index.js";
import { isGood, runFuzz } from "./run.js";

const REPORT = "reports/intake.json";

interface Options {
  readonly records: number;
  readonly seed: number;
  readonly portOffset: number;
}

/** `npm run fuzz`: hostile records through the Kafka doors. @returns 0; 1 when a record is lost or the job faltered */
export async function main(argv: string[]): Promise<number> {
  const program = new Command("npm run fuzz --")
    .description(
      `Starts a cluster, sends good, odd, broken and mutated records to the public topics, and finds every one again as valid or rejected, decided or not. Writes ${REPORT}.`,
    )
    .option("--records <n>", "how many", wholeNumber(1, 10_000_000), 20_000)
    .option("--seed <n>", "of the random numbers", wholeNumber(0, 2 ** 31 - 1), 7)
    .option("--port-offset <n>", "added to every port", wholeNumber(0, MAX_PORT_OFFSET), 0)
    .exitOverride();
  program.parse(argv, { from: "user" });
  const { records, seed, portOffset } = program.opts<Options>();
  const step = stepView();
  const { signal } = interrupted();
  let cluster: Cluster | undefined;
  try {
    await step("tools: Java, jars, MinIO", (onProgress) => ensureTools({ onProgress }));
    cluster = await startCluster(clusterSettings({ name: "fuzz", portOffset }), {
      step,
      restart: false,
      fresh: true,
      signal,
      onEvent: (event) => console.error(eventText(event, 15)),
    });
    const report = await step(`${records} hostile records, seed ${seed}`, (onProgress) =>
      runFuzz(cluster!, { records, seed, runId: newRunId(), onProgress, signal }),
    );
    writeJsonReport(REPORT, report);
    const good = isGood(report);
    console.log(
      `${good ? pc.green("✔") : pc.red("✘")} ${report.sent} sent: ${report.valid} valid, ${report.rejected} rejected, ${report.unaccounted} unaccounted, ${report.twice} twice; ${report.refusedByBroker} too large for the broker`,
    );
    console.log(
      `  valid transactions: ${report.decided} decided, ${report.repeats} repeats, ${report.functionsRejected} refused by the account counter, ${report.undecided} undecided, ${report.decidedTwice} decided twice`,
    );
    console.log(
      `  rejected: ${Object.entries(report.byReason)
        .map(([reason, count]) => `${count} ${reason}`)
        .join(", ")}`,
    );
    console.log(
      `  Flink job: ${report.jobRestarts} restarts, ${report.notRunning} times not RUNNING; report: ${REPORT}`,
    );
    for (const line of [...report.examples, ...report.surprises]) console.log(`  ${pc.red(visible(line))}`);
    return good ? 0 : 1;
  } catch (error) {
    if (signal.aborted) return INTERRUPTED;
    throw error;
  } finally {
    if (cluster !== undefined) await step("stopping", () => cluster!.stop());
  }
}
