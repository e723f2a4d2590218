import { surviveFullDisk } from "../../process/full-disk.js";
import { recorded, recordedParts, stopParts } from "./managed-process.js";

/** Stops what the supervisor of a data folder has left: see `last-will.ts`. */
async function main(): Promise<void> {
  surviveFullDisk();
  const [dataDir] = process.argv.slice(2);
  if (dataDir === undefined) throw new Error("give the data folder");
  const left = recordedParts({ dataDir });
  // A start that came first stops them itself; what is recorded after it is not ours.
  if (left.size === 0 || recorded({ dataDir }, "supervisor") !== undefined) return;
  process.stderr.write(`the supervisor is gone: stopping ${[...left.keys()].join(", ")}\n`);
  await stopParts((part) => left.get(part));
}

await main();
