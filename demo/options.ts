import { Command, Option } from "commander";

import type { WayOptions } from "../cluster/availability.js";
import { stateBackendOption } from "../cluster/job-options.js";
import { MAX_PORT_OFFSET } from "../contract/ports.js";
import type { StateBackend } from "../flink/flink.js";
import { wholeNumber } from "../terminal/option-values.js";

/** What `npm run demo` was asked for. */
export interface DemoOptions extends WayOptions {
  /** Stop after this many transactions; `undefined`: go on until Ctrl-C. */
  readonly transactions: number | undefined;
  /** Transactions a second. */
  readonly rate: number;
  readonly seed: number;
  readonly runId: string | undefined;
  readonly accounts: number;
  /** Transactions sent before the run, which no figure counts. */
  readonly warmUp: number;
  readonly exit: boolean;
  /** File for the report of a bounded run, from the repository's root. */
  readonly report: string;
  readonly fresh: boolean;
  readonly name: string;
  readonly portOffset: number;
  /** Default: see `ClusterOptions`. */
  readonly stateBackend?: StateBackend;
  /** With the live web app. */
  readonly dashboard: boolean;
  /** Its failure menu may kill parts. */
  readonly failures: boolean;
  /** Opens it in a browser, where there is one to see. */
  readonly open: boolean;
}

/** The command line of `npm run demo`. */
export function demoCommand(): Command {
  return new Command("npm run demo --")
    .description(
      "Starts the whole pipeline on this machine, in containers or as plain processes (ZooKeeper, Kafka, MinIO, Flink with StateFun, the functions), sends it generated transactions and shows what comes out. Ctrl-C stops everything.",
    )
    .option(
      "--transactions <n>",
      "send this many, then show the result (default: until Ctrl-C)",
      wholeNumber(1, 100_000_000),
    )
    .option("--rate <n>", "transactions a second", wholeNumber(1, 20_000), 200)
    .option(
      "--seed <n>",
      "seed of the generator: the same seed gives the same transactions",
      wholeNumber(0, 2 ** 31 - 1),
      7,
    )
    .option("--run-id <id>", "names the run's accounts and transactions (default: a new one each time)")
    .option("--accounts <n>", "accounts that make transactions", wholeNumber(10, 1_000_000), 1000)
    .option(
      "--warm-up <n>",
      "transactions sent before the run, in a separate run, so that its figures do not show cold Java",
      wholeNumber(0, 100_000),
      2000,
    )
    .option(
      "--exit",
      "after --transactions: wait until each has its committed decision, check them, write the report and exit; 1 if any is missing, repeated or out of order",
      false,
    )
    .option("--report <file>", "where a bounded run's report goes", "reports/demo.json")
    .option("--fresh", "start over: forget all topics and state of earlier demos", false)
    .addOption(new Option("--native", "as processes of this machine").conflicts("docker"))
    .addOption(
      new Option(
        "--docker",
        "in containers, by docker compose (default: that, where a Docker engine has the images)",
      ).conflicts("native"),
    )
    .option("--name <name>", "data folder below .cluster/", "demo")
    .option(
      "--port-offset <n>",
      "added to every port, to run beside something else",
      wholeNumber(0, MAX_PORT_OFFSET),
      0,
    )
    .option("--no-dashboard", "without the live web app")
    .option("--no-failures", "without the web app's failure menu, which kills parts on demand")
    .option("--no-open", "do not open the web app in a browser")
    .addOption(stateBackendOption());
}
