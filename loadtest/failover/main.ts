import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Command, InvalidArgumentError, Option } from "commander";
import pc from "picocolors";

import { chooseWay, startEither } from "../../cluster/availability.js";
import { compilerOption, parallelismOption } from "../../cluster/job-options.js";
import { clusterSettings, endpoints, type RunningCluster } from "../../cluster/index.js";
import type { Compiler } from "../../cluster/settings.js";
import { type Transport, TRANSPORT_NAMES, TRANSPORTS } from "../../cluster/transports.js";
import { MAX_PORT_OFFSET } from "../../contract/ports.js";
import { newRunId } from "../../ingress-generator/producer.js";
import { warmUp } from "../../ingress-generator/warm-up.js";
import { writePage } from "../../terminal/html.js";
import { INTERRUPTED, interrupted } from "../../terminal/interrupted.js";
import { writeJsonReport } from "../../terminal/json-report.js";
import { wholeNumber } from "../../terminal/option-values.js";
import type { Step } from "../../terminal/steps.js";
import { stepView } from "../../terminal/step-view.js";
import { visible } from "../../terminal/visible.js";
import { UserError } from "../../terminal/user-error.js";
import { ensureFakeTime, fakeTimeLibrary, OwnClock } from "../../tools/index.js";
import { propertyLines } from "../../verifier/result-text.js";
import { faultyCluster } from "./cluster.js";
import { type FaultKind, faultOf } from "./faults.js";
import { OVERLOAD_DEFAULTS } from "./overload.js";
import { headline, pageOf, reportOf, seconds } from "./report.js";
import { type FailoverOptions, runFailover } from "./run.js";
import {
  ALL_FAULTS,
  CONTAINER_FAULTS,
  FAULT_KINDS,
  isLong,
  namedFaults,
  needsOwnClock,
  needsOwnDisk,
} from "./schedule.js";
import { type SmallDisk, smallDisk } from "./small-disk.js";

const REPORT = "reports/failover";
const WARM_UP = 3_000;
const RATE = 500;
/** The rate over HTTP beside an overload through Kafka's door, which is the subject. */
const LONG_RATE = 50;

interface Options {
  readonly faults: readonly FaultKind[];
  readonly rate?: number;
  readonly duration: number;
  readonly seed: number;
  readonly transport: Transport;
  readonly parallelism?: number;
  readonly compiler: Compiler;
  readonly overloadSeconds: number;
  readonly sustained?: number;
  readonly busy: boolean;
  readonly backlog: number;
  readonly drainLimit: number;
  readonly docker: boolean;
  readonly portOffset: number;
}

/** `npm run failover`: load and faults, judged. @returns 0; 1 when a property or a threshold does not hold */
export async function main(argv: string[]): Promise<number> {
  const program = new Command("npm run failover --")
    .description(
      `Starts a cluster, sends transactions to the HTTP door with k6, injects faults from a seeded schedule, waits until everything is decided and judges every record. The load goes on until the last fault is recovered from. Writes ${REPORT}.json and .html, whatever happens; ends with 1 when a property, a threshold of k6 or a bound of an overload does not hold.\n\nFaults:\n${FAULT_KINDS.map((kind) => `  ${kind.padEnd(30)} ${faultOf(kind).description}${ALL_FAULTS.includes(kind) ? "" : "; not among all"}`).join("\n")}\n\nThe long ones and outage-24h come last, once each. What an overload must keep: no restart of the job, at most 1 % of checkpoints failed, no part's memory in its last third more than 5 % above the second (if it lasts 3 min), no 30 s with less than 60 % of the best throughput, and the backlog drained, with calm after it.\n\nTransports:\n${TRANSPORT_NAMES.map((name) => `  ${name.padEnd(30)} ${TRANSPORTS[name].description}`).join("\n")}`,
    )
    .addOption(
      new Option("--faults <kinds>", "all, and kinds, with commas between, such as all,overload")
        .argParser(faultKinds)
        .default(ALL_FAULTS, "all"),
    )
    .option(
      "--rate <n>",
      `transactions a second by HTTP (default: ${RATE}; ${LONG_RATE} where all faults are long)`,
      wholeNumber(1, 100_000),
    )
    .option(
      "--duration <s>",
      "of the load, in seconds, extended until the last fault is recovered from; without effect when all faults are long",
      wholeNumber(20, 86_400),
      240,
    )
    .option("--seed <n>", "of the schedule of faults", wholeNumber(0, 2 ** 31 - 1), 7)
    .addOption(
      new Option("--transport <name>", "how StateFun calls the functions").choices(TRANSPORT_NAMES).default("batching"),
    )
    .addOption(parallelismOption())
    .addOption(compilerOption("quick"))
    .option(
      "--overload-seconds <s>",
      "overload: how long to offer twice the sustained rate",
      wholeNumber(20, 86_400),
      OVERLOAD_DEFAULTS.overloadSeconds,
    )
    .option(
      "--sustained <n>",
      "overload: what the cluster holds, in transactions a second (default: it is measured first)",
      wholeNumber(1, 50_000),
    )
    .option("--busy", "overload, cold-backlog: other programs use half of the processors meanwhile", false)
    .option(
      "--backlog <n>",
      "cold-backlog: transactions that wait when the job starts",
      wholeNumber(100, 10_000_000),
      OVERLOAD_DEFAULTS.backlog,
    )
    .option(
      "--drain-limit <s>",
      "overload, cold-backlog: a drain that takes longer has failed",
      wholeNumber(10, 86_400),
      OVERLOAD_DEFAULTS.drainSeconds,
    )
    .option(
      "--docker",
      `in containers, by docker compose, instead of as processes of this machine; faults are then: ${CONTAINER_FAULTS.join(", ")}`,
      false,
    )
    .option("--port-offset <n>", "added to every port", wholeNumber(0, MAX_PORT_OFFSET), 0)
    .exitOverride();
  program.parse(argv, { from: "user" });
  const {
    faults: asked,
    duration,
    seed,
    docker,
    portOffset,
    transport,
    parallelism,
    compiler,
    overloadSeconds,
    sustained,
    busy,
    backlog,
    drainLimit: drainSeconds,
    ...given
  } = program.opts<Options>();
  const kinds = docker ? asked.filter((kind) => CONTAINER_FAULTS.includes(kind)) : asked;
  if (kinds.length === 0)
    throw new UserError(`none of these faults can be made in containers. There are: ${CONTAINER_FAULTS.join(", ")}`);
  if (docker && transport !== "batching")
    throw new UserError("in containers the transport is the one of module.yaml. Leave out --docker or --transport.");
  if (docker && parallelism !== undefined)
    throw new UserError("in containers the parallelism is the number of workers. Leave out --docker or --parallelism.");
  if (docker && program.getOptionValueSource("compiler") === "cli")
    throw new UserError(
      "in containers the compiler is that of docker-compose.yml and cluster/flink-conf.yaml. Leave out --docker or --compiler.",
    );
  const rate = given.rate ?? (kinds.every(isLong) ? LONG_RATE : RATE);
  const step = stepView();
  const { signal } = interrupted();
  const folder = mkdtempSync(join(tmpdir(), "fraud-failover-"));
  let cluster: RunningCluster | undefined;
  let disk: SmallDisk | undefined;
  try {
    const clock = kinds.some(needsOwnClock) ? await brokerClock(folder, step) : undefined;
    const { way } = await chooseWay({ docker, native: !docker });
    const settings = clusterSettings({
      name: "failover",
      portOffset,
      compiler,
      ...(parallelism !== undefined && { parallelism }),
      ...(docker ? {} : faultyCluster(folder, transport)),
      ...(clock && { kafkaEnv: clock.env }),
    });
    if (kinds.some(needsOwnDisk)) disk = await smallDisk(settings.dataDir);
    // Parts die on purpose: the report says how that went.
    cluster = await startEither(way, settings, { k6: true, step, restart: true, fresh: true, signal });
    const runId = newRunId();
    const brokers = endpoints(cluster.settings).kafka;
    await step(`warming up with ${WARM_UP} transactions`, (onProgress) =>
      warmUp({ brokers, runId: `${runId}.warm`, seed, transactions: WARM_UP, onProgress, signal }),
    );
    const options: Omit<FailoverOptions, "onProgress"> = {
      kinds,
      rate,
      duration,
      seed,
      runId,
      where: docker ? "containers" : "processes",
      transport,
      overload: { overloadSeconds, sustained, busy, backlog, drainSeconds },
      signal,
    };
    const result = await step(`${rate} transactions a second for ${duration} s, seed ${seed}`, (onProgress) =>
      runFailover({ cluster: cluster!, folder, clock, signal }, { ...options, onProgress }),
    );
    const report = reportOf(result, { ...options, onProgress: () => undefined });
    writeJsonReport(`${REPORT}.json`, report);
    writePage(`${REPORT}.html`, "Failover", pageOf(report, result));
    for (const { kind, atMs, recoveryMs, committedP99Ms } of report.faults)
      console.log(
        `  ${seconds(atMs).padStart(8)}  ${kind.padEnd(30)} recovered in ${seconds(recoveryMs)}, p99 until the next ${seconds(committedP99Ms)}`,
      );
    for (const { kind, limits } of report.overloads)
      for (const { name, what, held } of limits)
        console.log(`${held ? pc.green("✔") : pc.red("✘")} ${kind}, ${name}: ${what}`);
    for (const problem of report.problems) console.log(pc.red(visible(`✘ ${problem}`)));
    if (report.notFitted.length > 0) console.log(`  did not fit into the run: ${report.notFitted.join(", ")}`);
    for (const line of propertyLines(report.properties)) console.log(line);
    if (report.thresholds === "failed") console.log(`${pc.red("k6's thresholds did not hold:")}\n${result.k6Summary}`);
    console.log(
      `${report.verdict === "pass" ? pc.green("✔") : pc.red("✘")} ${headline(report)}; report: ${REPORT}.html`,
    );
    return report.verdict === "pass" ? 0 : 1;
  } catch (error) {
    if (signal.aborted) return INTERRUPTED;
    throw error;
  } finally {
    if (cluster !== undefined) await step("stopping", () => cluster!.stop());
    await disk?.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @throws {UserError} where there is no libfaketime */
async function brokerClock(folder: string, step: Step): Promise<OwnClock> {
  await step("libfaketime, for the broker's clock", ensureFakeTime);
  if (fakeTimeLibrary() === undefined)
    throw new UserError("the fault outage-24h needs a broker with a clock of its own: apt-get install libfaketime");
  return new OwnClock(join(folder, "clock"));
}

function faultKinds(text: string): readonly FaultKind[] {
  try {
    return namedFaults(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}
