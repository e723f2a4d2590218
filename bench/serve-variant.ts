import type { Server } from "node:http";

import { given } from "../process/environment.js";

/**
 * The end of a server that `requestsPerCpuSecond` compares: starts the variant that `BENCH_VARIANT` names, says its
 * port in a line, and ends on SIGTERM.
 */
export async function serveVariant(variants: Readonly<Record<string, () => Server | Promise<Server>>>): Promise<void> {
  const server = await variants[given()["BENCH_VARIANT"] ?? ""]?.();
  if (server === undefined) throw new Error(`BENCH_VARIANT is one of ${Object.keys(variants).join(", ")}`);
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    process.stdout.write(`${typeof address === "object" ? address?.port : ""}\n`);
  });
  process.once("SIGTERM", () => process.exit(0));
}
