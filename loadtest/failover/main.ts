import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Command, InvalidArgumentError } from "commander";
import pc from "picocolors";

import { chooseWay, startEither } from "../../cluster/compose/availability.js";
import { addresses, clusterSettings, type RunningCluster } from "../../cluster/index.js";
import { writeJsonReport } from "../../cluster/json-report.js";
import { wholeNumber } from "../../cluster/option-values.js";
import { MAX_PORT_OFFSET } from "../../cluster/settings.js";
import { UserError } from "../../cluster/user-error.js";
import { INTERRUPTED, interrupted } from "../../cluster/terminal/interrupted.js";
import { stepView } from "../../cluster/terminal/step-view.js";
import { warmUp } from "../../demo/warm-up.js";
import { newRunId } from "../../ingress-generator/producer.js";
import { writePage } from "../report/html.js";
import { propertyLines } from "../report/text.js";
import { faultyCluster } from "./cluster.js";
import { type FaultKind, faultOf } from "./faults.js";
import { headline, pageOf, reportOf, seconds } from "./report.js";
import { type FailoverOptions, runFailover } from "./run.js";
import { ALL_FAULTS, CONTAINER_FAULTS } from "./schedule.js";

const REPORT = "reports/failover";
const WARM_UP = 3_000;

interface Options {
  readonly faults: readonly FaultKind[];
  readonly rate: number;
  readonly duration: number;
  readonly seed: number;
  readonly docker: boolean;
  readonly portOffset: number;
}

/** `npm run failover`: load and faults, judged. @returns 0; 1 when a property or a threshold does not hold */
export async function main(argv: string[]): Promise<number> {
  const program = new Command("npm run failover --")
    .description(
      `Starts a cluster, sends transactions to the HTTP door with k6, injects faults from a seeded schedule, waits until everything is decided and judges every record. Writes ${REPORT}.json and .html.\n\nFaults:\n${ALL_FAULTS.map((kind) => `  ${kind.padEnd(30)} ${faultOf(kind).description}`).join("\n")}`,
    )
    .option("--faults <kinds>", "all, or kinds with commas between", faultKinds, ALL_FAULTS)
    .option("--rate <n>", "transactions a second", wholeNumber(1, 100_000), 500)
    .option("--duration <s>", "of the load, in seconds", wholeNumber(20, 86_400), 240)
    .option("--seed <n>", "of the schedule of faults", wholeNumber(0, 2 ** 31 - 1), 7)
    .option("--docker", `in containers, by docker compose, instead of as processes of this machine; faults are then: ${CONTAINER_FAULTS.join(", ")}`, false)
    .option("--port-offset <n>", "added to every port", wholeNumber(0, MAX_PORT_OFFSET), 0)
    .exitOverride();
  program.parse(argv, { from: "user" });
  const { faults: asked, rate, duration, seed, docker, portOffset } = program.opts<Options>();
  const kinds = docker ? asked.filter((kind) => CONTAINER_FAULTS.includes(kind)) : asked;
  if (kinds.length === 0) throw new UserError(`none of these faults can be made in containers. There are: ${CONTAINER_FAULTS.join(", ")}`);
  const step = stepView();
  const { signal } = interrupted();
  const folder = mkdtempSync(join(tmpdir(), "fraud-failover-"));
  let cluster: RunningCluster | undefined;
  try {
    const { way } = await chooseWay({ docker, native: !docker });
    // Parts die on purpose: the report says what became of it.
    cluster = await startEither(way, clusterSettings({ name: "failover", portOffset, ...(docker ? {} : faultyCluster(folder)) }), { k6: true, step, restart: true, fresh: true, signal });
    const runId = newRunId();
    const brokers = addresses(cluster.settings).kafka;
    await step(`warming up with ${WARM_UP} transactions`, (onProgress) => warmUp({ brokers, runId: `${runId}.warm`, seed, transactions: WARM_UP, onProgress, signal }));
    const options: Omit<FailoverOptions, "onProgress"> = { kinds, rate, duration, seed, runId, where: docker ? "containers" : "processes", signal };
    const result = await step(`${rate} transactions a second for ${duration} s, seed ${seed}`, (onProgress) => runFailover({ cluster: cluster!, folder, signal }, { ...options, onProgress }));
    const report = reportOf(result, { ...options, onProgress: () => undefined });
    writeJsonReport(`${REPORT}.json`, report);
    writePage(`${REPORT}.html`, "Failover", pageOf(report, result));
    for (const { kind, atMs, recoveryMs, committedP99Ms } of report.faults) console.log(`  ${seconds(atMs).padStart(8)}  ${kind.padEnd(30)} recovered in ${seconds(recoveryMs)}, p99 until the next ${seconds(committedP99Ms)}`);
    if (report.notFitted.length > 0) console.log(`  did not fit into the run: ${report.notFitted.join(", ")}`);
    for (const line of propertyLines(report.properties)) console.log(line);
    if (report.thresholds === "failed") console.log(`${pc.red("k6's thresholds did not hold:")}\n${result.k6Summary}`);
    console.log(`${report.verdict === "pass" ? pc.green("✔") : pc.red("✘")} ${headline(report)}; report: ${REPORT}.html`);
    return report.verdict === "pass" ? 0 : 1;
  } catch (error) {
    if (signal.aborted) return INTERRUPTED;
    throw error;
  } finally {
    if (cluster !== undefined) await step("stopping", () => cluster!.stop());
    rmSync(folder, { recursive: true, force: true });
  }
}

function faultKinds(text: string): readonly FaultKind[] {
  if (text === "all") return ALL_FAULTS;
  return text.split(",").map((name) => {
    const kind = ALL_FAULTS.find((one) => one === name.trim());
    if (kind === undefined) throw new InvalidArgumentError(`There is no fault ${name}: there are ${ALL_FAULTS.join(", ")}.`);
    return kind;
  });
}
