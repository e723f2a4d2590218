import { Command } from "commander";

import { someOf, wholeNumber } from "../cluster/option-values.js";
import { INTERRUPTED, interrupted } from "../cluster/terminal/interrupted.js";
import { benchDashboard } from "./dashboard/dashboard.js";
import { benchHandler } from "./handler/handler.js";
import { benchIntake } from "./intake/intake.js";
import { benchStateBackend } from "./state-backend.js";
import { benchTransport, TRANSPORT_CHOICES, type TransportOptions } from "./transport/transport.js";

/** `npm run bench`: measurements that `docs/performance.md` quotes. @returns the exit code */
export async function main(argv: string[]): Promise<number> {
  // Whatever was started is stopped, then too.
  const { signal } = interrupted();
  const program = new Command("npm run bench --").description("Measures, with what is compared in the same run; each writes reports/bench-<name>.json.").exitOverride();
  program
    .command("state-backend")
    .description("RocksDB next to heap state: 15,000 addresses with 3 KB of state each, 1,000 transactions a second (about 6 minutes)")
    .exitOverride()
    .action(() => benchStateBackend(signal));
  program.command("handler").description("our request-reply handler next to Apache's JavaScript SDK, over HTTP (about 3 minutes)").exitOverride().action(() => benchHandler(signal));
  program.command("intake").description("what the intake's doors cost, next to the pipeline and to a bare kafkajs producer (about 6 minutes)").exitOverride().action(() => benchIntake(signal));
  program.command("dashboard").description("the pipeline without the live web app, and with 50 and 500 open pages, at 1,000 transactions a second (about 8 minutes)").exitOverride().action(() => benchDashboard(signal));
  program
    .command("transport")
    .description("the batching transport next to StateFun's async one, client and server alone, without a cluster (about 6 minutes)")
    .option("--rounds <n>", "how often each is measured", wholeNumber(1, 20), 3)
    .option("--seconds <n>", "how long each load lasts", wholeNumber(1, 120), 8)
    .option("--transports <names>", `some of ${TRANSPORT_CHOICES.join(", ")}`, someOf(TRANSPORT_CHOICES), TRANSPORT_CHOICES)
    .exitOverride()
    .action((options: TransportOptions) => benchTransport(options, signal));
  try {
    await program.parseAsync(argv, { from: "user" });
    return 0;
  } catch (error) {
    if (signal.aborted) return INTERRUPTED;
    throw error;
  }
}
