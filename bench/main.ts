import { Command } from "commander";

import { benchStateBackend } from "./state-backend.js";

/** `npm run bench`: measurements that `docs/performance.md` quotes. @returns the exit code */
export async function main(argv: string[]): Promise<number> {
  const program = new Command("npm run bench --").description("Measures, with what is compared in the same run; each writes reports/bench-<name>.json.").exitOverride();
  program
    .command("state-backend")
    .description("RocksDB next to heap state: 15,000 addresses with 3 KB of state each, 1,000 transactions a second (about 6 minutes)")
    .exitOverride()
    .action(benchStateBackend);
  await program.parseAsync(argv, { from: "user" });
  return 0;
}
