import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Cures } from "../state/guard.js";
import type { StateRecord } from "../state/state-record.js";

/** What to suggest in containers when stores do not belong together. */
export const CURES: Required<Cures> = {
  startOver: "docker compose down -v",
  goOn: "docker compose run --rm from-latest, and then docker compose up --wait",
};

/** The volume in which Flink finds what this repository's services bring it. */
export const TRANSPORT_VOLUME = "/volumes/transport";

/**
 * Tells the master, whenever it starts next, which generation of the job it starts, and where that begins: `master.sh`
 * reads it. Natively each generation has a cluster id of its own; here workers take no arguments, so it has a job id.
 */
export function tellMaster({ generation, savepoint }: StateRecord, folder = TRANSPORT_VOLUME): void {
  const file = join(folder, "generation");
  // Renamed into place: a reader never sees half a file.
  writeFileSync(`${file}.new`, `${generation}${savepoint === undefined ? "" : ` ${savepoint}`}\n`);
  renameSync(`${file}.new`, file);
}
