import { Command, Option } from "commander";
import pc from "picocolors";

import { chooseWay, startEither } from "../../cluster/availability.js";
import { eventText } from "../../cluster/event-text.js";
import { clusterSettings, endpoints, type RunningCluster } from "../../cluster/index.js";
import { MAX_PORT_OFFSET } from "../../contract/ports.js";
import { quantile } from "../../contract/quantile.js";
import { newRunId } from "../../ingress-generator/producer.js";
import { warmUp } from "../../ingress-generator/warm-up.js";
import { html, table, resultLine, writePage } from "../../terminal/html.js";
import { INTERRUPTED, interrupted } from "../../terminal/interrupted.js";
import { type Machine, thisMachine, writeJsonReport } from "../../terminal/json-report.js";
import { wholeNumber } from "../../terminal/option-values.js";
import { stepView } from "../../terminal/step-view.js";
import { propertiesSection } from "../../verifier/result-page.js";
import { propertyLines, resultText } from "../../verifier/result-text.js";
import type { Verification } from "../../verifier/verify.js";
import { latencies, type LoadResult, startLoadRun } from "../run/load-run.js";
import { COMMITTED_P99_MS, type ProfileName, PROFILES } from "./profiles.js";

/** Java runs many times faster once it has compiled what is used most. */
const WARM_UP = 3_000;
const REPORT = "reports/loadtest";

/** `reports/loadtest.json`. Field names are stable. */
export interface LoadtestReport extends Verification {
  readonly profile: ProfileName;
  readonly runId: string;
  readonly acknowledged: number;
  /** Whether every threshold of k6 held. */
  readonly thresholds: "passed" | "failed";
  /** From when a transaction was sent to when a reader had its decision, in ms. */
  readonly committedLatencyMs: Quantiles;
  readonly firstVisibleLatencyMs: Quantiles;
  readonly machine: Machine;
}

interface Quantiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** `npm run loadtest`: k6 against the HTTP door, judged. @returns 0; 1 when a threshold or a property does not hold */
export async function main(argv: string[]): Promise<number> {
  const names = Object.keys(PROFILES) as ProfileName[];
  const program = new Command("npm run loadtest --")
    .description(
      `Starts a cluster, sends transactions to the HTTP door with k6 at a rate that does not depend on the answers, waits for the committed decisions and judges every record. Writes ${REPORT}.json and .html.\n\nProfiles:\n${names.map((name) => `  ${name.padEnd(8)} ${PROFILES[name].description}`).join("\n")}`,
    )
    .addOption(new Option("--profile <name>", "which load").choices(names).default("smoke"))
    .option("--accounts <n>", "how many accounts", wholeNumber(1, 1_000_000), 5_000)
    .option("--docker", "in containers, by docker compose, instead of as processes of this machine", false)
    .option("--port-offset <n>", "added to every port", wholeNumber(0, MAX_PORT_OFFSET), 0)
    .exitOverride();
  program.parse(argv, { from: "user" });
  const { profile, accounts, docker, portOffset } = program.opts<{
    profile: ProfileName;
    accounts: number;
    docker: boolean;
    portOffset: number;
  }>();
  const step = stepView();
  const { signal } = interrupted();
  let cluster: RunningCluster | undefined;
  try {
    const { way } = await chooseWay({ docker, native: !docker });
    cluster = await startEither(way, clusterSettings({ name: "loadtest", portOffset }), {
      k6: true,
      step,
      restart: true,
      fresh: true,
      signal,
      onEvent: (event) => console.error(eventText(event, 15)),
    });
    const runId = newRunId();
    const brokers = endpoints(cluster.settings).kafka;
    await step(`warming up with ${WARM_UP} transactions`, (onProgress) =>
      warmUp({ brokers, runId: `${runId}.warm`, seed: 1, transactions: WARM_UP, onProgress, signal }),
    );
    const limit = COMMITTED_P99_MS[profile];
    const result = await step(`k6, profile ${profile}: ${PROFILES[profile].description}`, async (onProgress) => {
      let timer: NodeJS.Timeout | undefined = undefined;
      // The progress of the judgement is of more interest than the latest decisions.
      const judging = (line: string): void => {
        clearInterval(timer);
        onProgress(line);
      };
      const run = await startLoadRun(cluster!, {
        runId,
        stages: PROFILES[profile].stages,
        accounts,
        merchants: Math.ceil(accounts / 10),
        untilAcknowledged: false,
        ...(limit !== undefined && { committedP99Ms: limit }),
        onProgress: judging,
        signal,
      });
      timer = setInterval(() => onProgress(`${run.watch.decided().toLocaleString("en")} decided and committed`), 2_000);
      try {
        return await run.result;
      } finally {
        clearInterval(timer);
      }
    });
    const report = reportOf(profile, runId, result);
    writeJsonReport(`${REPORT}.json`, report);
    const good = report.verdict === "pass" && report.thresholds === "passed";
    writePage(`${REPORT}.html`, `Load test: ${profile}`, pageOf(report, good, result.k6Summary));
    console.log(result.k6Summary);
    if (result.k6Problem !== undefined) console.error(`${pc.red("✘")} ${result.k6Problem}`);
    for (const line of propertyLines(report.properties)) console.log(line);
    console.log(
      `${good ? pc.green("✔") : pc.red("✘")} ${resultText(report)}; committed latency p50 ${report.committedLatencyMs.p50} ms, p99 ${report.committedLatencyMs.p99} ms; k6's thresholds ${report.thresholds}; report: ${REPORT}.html`,
    );
    return good ? 0 : 1;
  } catch (error) {
    if (signal.aborted) return INTERRUPTED;
    throw error;
  } finally {
    if (cluster !== undefined) await step("stopping", () => cluster!.stop());
  }
}

function reportOf(
  profile: ProfileName,
  runId: string,
  { verification, acknowledged, watch, k6ExitCode }: LoadResult,
): LoadtestReport {
  return {
    profile,
    runId,
    ...verification,
    acknowledged: acknowledged.reduce((sum, { count }) => sum + count, 0),
    thresholds: k6ExitCode === 0 ? "passed" : "failed",
    committedLatencyMs: quantilesOf(latencies(acknowledged, watch.committedAtMs)),
    firstVisibleLatencyMs: quantilesOf(latencies(acknowledged, watch.visibleAtMs)),
    machine: thisMachine(),
  };
}

function quantilesOf(values: Float64Array): Quantiles {
  const at = (share: number): number => quantile(values, share) ?? 0;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

function pageOf(report: LoadtestReport, good: boolean, k6Summary: string) {
  const row = (name: string, { p50, p95, p99, max }: Quantiles) => [name, p50, p95, p99, max];
  return html`<h1>Load test, profile ${report.profile}</h1>${resultLine(good, resultText(report))}
<h2>Latency, ms</h2>${table(["", "#p50", "#p95", "#p99", "#max"], [row("first visible (provisional)", report.firstVisibleLatencyMs), row("committed", report.committedLatencyMs)])}
${propertiesSection(report.properties)}<h2>k6</h2><pre>${k6Summary}</pre>`;
}
