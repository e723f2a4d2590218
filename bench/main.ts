import { Command, Option } from "commander";

import { MAX_PARALLELISM } from "../cluster/job-options.js";
import { DEFAULT_PARALLELISM } from "../cluster/settings.js";
import { STATE_BACKENDS } from "../flink/flink.js";
import { INTERRUPTED, interrupted } from "../terminal/interrupted.js";
import { someOf, wholeNumber } from "../terminal/option-values.js";
import { benchDashboard } from "./dashboard/dashboard.js";
import { benchDemoAlerts, type DemoAlertsOptions } from "./demo-alerts/demo-alerts.js";
import { benchFrameworks } from "./frameworks/frameworks.js";
import { benchHandler } from "./handler/handler.js";
import { ATTACK_KINDS, type AttackKind, HOSTILE_SERVERS, type HostileServer } from "./hostile/attacks.js";
import { benchBeside } from "./hostile/beside.js";
import { benchHostile } from "./hostile/hostile.js";
import { benchIntake } from "./intake/intake.js";
import { benchLearned } from "./learned/learned.js";
import { benchStateSizes, type StateSizesOptions } from "./learned/state-sizes.js";
import { ALL_ACCOUNTS, PHASES } from "./pipeline/cells.js";
import { benchPipeline } from "./pipeline/pipeline.js";
import type { PipelineOptions } from "./pipeline/report.js";
import { KEYS } from "./pipeline/transactions.js";
import { VARIANT_NAMES, VARIANTS } from "./pipeline/variants/variants.js";
import { benchRest, type RestOptions } from "./rest/rest.js";
import { benchScoring } from "./scoring/scoring.js";
import { benchStateBackend, type StateBackendOptions } from "./state-backend.js";
import { benchTransport, TRANSPORT_CHOICES, type TransportOptions } from "./transport/transport.js";
import { benchVerify } from "./verify/verify.js";

/** `npm run bench`: measurements that `docs/performance.md` quotes. @returns the exit code */
export async function main(argv: string[]): Promise<number> {
  // Whatever was started is stopped, then too.
  const { signal } = interrupted();
  const program = new Command("npm run bench --")
    .description("Measures, with what is compared in the same run; each writes reports/bench-<name>.json.")
    .exitOverride();
  program
    .command("state-backend")
    .description(
      "RocksDB next to heap state: 15,000 addresses with some KB of state each, 1,000 transactions a second (about 5 minutes a round)",
    )
    .option(
      "--state-bytes <n>",
      "of each account: about 3,000 without learned features, 5,300 with 192 transactions, 8,500 with their places too",
      wholeNumber(1_000, 15_000),
      3_000,
    )
    .option("--rounds <n>", "how often each is measured, in turns", wholeNumber(1, 20), 2)
    .exitOverride()
    .action((options: StateBackendOptions) => benchStateBackend(options, signal));
  program
    .command("handler")
    .description("our request-reply handler next to Apache's JavaScript SDK, over HTTP (about 3 minutes)")
    .exitOverride()
    .action(() => benchHandler(signal));
  program
    .command("learned")
    .description(
      "what learned features cost the account counter and the merchant model, and their state (under a minute)",
    )
    .addOption(
      new Option(
        "--states-after <data set>",
        "instead: how large the state of each account and merchant is after a whole data set (about 10 minutes; writes reports/bench-learned-state.json)",
      ).choices(["handbook", "places"]),
    )
    .exitOverride()
    .action(({ statesAfter }: { statesAfter?: StateSizesOptions["dataSet"] }) =>
      statesAfter === undefined ? benchLearned(signal) : benchStateSizes({ dataSet: statesAfter }, signal),
    );
  program
    .command("scoring")
    .description(
      "what a model takes to score a transaction, alone, beside a challenger, and with reasons (half a minute)",
    )
    .exitOverride()
    .action(() => benchScoring(signal));
  program
    .command("demo-alerts")
    .description(
      "what share of the demo's alerts is fraud, and of its frauds is found: what its generator sends, through the functions, in memory (half a minute)",
    )
    .option("--model <names...>", "by their ids or files", ["points-v1", "points-v3"])
    .option("--seed <n>", "of the generator", wholeNumber(0, 2 ** 31 - 1), 7)
    .option("--transactions <n>", "how many", wholeNumber(1, 1_000_000), 20_000)
    .exitOverride()
    .action((options: DemoAlertsOptions) => benchDemoAlerts(options, signal));
  program
    .command("frameworks")
    .description(
      "what an HTTP framework adds to the intake's work on a transaction: Fastify, Express, none (about a minute)",
    )
    .exitOverride()
    .action(() => benchFrameworks(signal));
  program
    .command("intake")
    .description("what the intake's doors cost, next to the pipeline and to a bare kafkajs producer (about 6 minutes)")
    .exitOverride()
    .action(() => benchIntake(signal));
  program
    .command("hostile")
    .description(
      "what the worst bodies within their bounds do to the servers: how long the event loop stands, memory, log (about 8 minutes)",
    )
    .option("--servers <names>", `some of ${HOSTILE_SERVERS.join(", ")}`, someOf(HOSTILE_SERVERS), HOSTILE_SERVERS)
    .option("--bodies <text>", "only those with this text in their names")
    .option(
      "--attacker",
      "instead: what a client sees while an attacker with a fifth of a processor does its worst, to the server and to another port, in short slices that take turns (about 16 minutes; writes reports/bench-hostile-beside.json)",
      false,
    )
    .option(
      "--attacks <names>",
      `with --attacker: some of ${ATTACK_KINDS.join(", ")}`,
      someOf(ATTACK_KINDS),
      ATTACK_KINDS,
    )
    .option("--rounds <n>", "with --attacker: how many pairs of slices each is measured in", wholeNumber(1, 100), 8)
    .exitOverride()
    .action(
      ({
        servers,
        attacker,
        attacks,
        rounds,
        bodies = "",
      }: {
        readonly bodies?: string;
        readonly servers: readonly HostileServer[];
        readonly attacker: boolean;
        readonly attacks: readonly AttackKind[];
        readonly rounds: number;
      }) => (attacker ? benchBeside(servers, attacks, rounds, signal) : benchHostile(servers, bodies, signal)),
    );
  program
    .command("dashboard")
    .description(
      "the pipeline without the live web app, and with 50 and 500 open pages, at 1,000 transactions a second (about 8 minutes)",
    )
    .exitOverride()
    .action(() => benchDashboard(signal));
  program
    .command("rest")
    .description(
      "what the whole native cluster with its web app takes of the processor when nothing is sent (about 3 minutes)",
    )
    .option("--seconds <n>", "how long is measured", wholeNumber(10, 3_600), 60)
    .exitOverride()
    .action((options: RestOptions) => benchRest(options, signal));
  program
    .command("verify")
    .description(
      "memory and time that the verifier takes for what the functions really made of so many transactions, without a cluster (3,000,000: about half an hour)",
    )
    .option("--transactions <n>", "how many", wholeNumber(1, 100_000_000), 3_000_000)
    .exitOverride()
    .action(({ transactions }: { transactions: number }) => benchVerify(transactions, signal));
  program
    .command("transport")
    .description(
      "the batching transport next to StateFun's async one, client and server alone, without a cluster (about 6 minutes)",
    )
    .option("--rounds <n>", "how often each is measured", wholeNumber(1, 20), 3)
    .option("--seconds <n>", "how long each load lasts", wholeNumber(1, 120), 8)
    .option(
      "--transports <names>",
      `some of ${TRANSPORT_CHOICES.join(", ")}`,
      someOf(TRANSPORT_CHOICES),
      TRANSPORT_CHOICES,
    )
    .exitOverride()
    .action((options: TransportOptions) => benchTransport(options, signal));
  program
    .command("pipeline")
    .description(
      `the whole pipeline beside its peers, each on its own cluster, in turns: the highest rate that it holds, latencies by hop, recovery, a backlog worked off from cold, processor time by part; then ours alone with other numbers of accounts and other keys (at most two and a half hours)\n\nVariants:\n${VARIANT_NAMES.map((name) => `  ${name.padEnd(14)} ${VARIANTS[name].description}`).join("\n")}`,
    )
    .option("--variants <names>", `some of ${VARIANT_NAMES.join(", ")}`, someOf(VARIANT_NAMES), VARIANT_NAMES)
    .option(
      "--accounts <numbers>",
      `some of ${ALL_ACCOUNTS.join(", ")}; the variants are compared with 5000`,
      (text) => someOf(ALL_ACCOUNTS.map(String))(text).map(Number),
      ALL_ACCOUNTS,
    )
    .option("--keys <names>", `some of ${KEYS.join(", ")}: how often each account is drawn`, someOf(KEYS), KEYS)
    .option("--only <phases>", `some of ${PHASES.join(", ")}`, someOf(PHASES), PHASES)
    .option("--rounds <n>", "how often the variants are measured (default: 3, with --quick 1)", wholeNumber(1, 20))
    .option(
      "--backlog <n>",
      "how many transactions wait when Flink starts (default: 40,000, with --quick 15,000)",
      wholeNumber(1_000, 5_000_000),
    )
    .option(
      "--p99 <ms>",
      "a rate is held when 99 of 100 decisions are committed by then",
      wholeNumber(1, 600_000),
      2_000,
    )
    .addOption(
      new Option(
        "--state-backend <name>",
        "of the variants without one of their own (default: hashmap up to 20,000 accounts, rocksdb beyond)",
      ).choices(STATE_BACKENDS),
    )
    .option(
      "--parallelism <n>",
      `of the job of variants without one of their own (default: ${DEFAULT_PARALLELISM})`,
      wholeNumber(1, MAX_PARALLELISM),
    )
    .option("--quick", "one short round, with rough figures (at most 25 minutes)", false)
    .exitOverride()
    .action(({ rounds, backlog, ...options }: Omit<PipelineOptions, "rounds" | "backlog"> & Partial<PipelineOptions>) =>
      benchPipeline(
        {
          ...options,
          rounds: rounds ?? (options.quick ? 1 : 3),
          backlog: backlog ?? (options.quick ? 15_000 : 40_000),
        },
        signal,
      ),
    );
  try {
    await program.parseAsync(argv, { from: "user" });
    return 0;
  } catch (error) {
    if (signal.aborted) return INTERRUPTED;
    throw error;
  }
}
