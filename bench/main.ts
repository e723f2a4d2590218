import { Command } from "commander";

import { wholeNumber } from "../cluster/option-values.js";
import { INTERRUPTED, interrupted } from "../cluster/terminal/interrupted.js";
import { benchDashboard } from "./dashboard/dashboard.js";
import { benchHandler } from "./handler/handler.js";
import { benchIntake } from "./intake/intake.js";
import { benchStateBackend } from "./state-backend.js";
import { benchVerify } from "./verify/verify.js";

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
    .command("verify")
    .description("memory and time that the verifier takes for what the functions really made of so many transactions, without a cluster (3,000,000: about half an hour)")
    .option("--transactions <n>", "how many", wholeNumber(1, 100_000_000), 3_000_000)
    .exitOverride()
    .action(({ transactions }: { transactions: number }) => benchVerify(transactions, signal));
  try {
    await program.parseAsync(argv, { from: "user" });
    return 0;
  } catch (error) {
    if (signal.aborted) return INTERRUPTED;
    throw error;
  }
}
