import { execFile } from "node:child_process";

import type { RawRecord } from "../contract/raw-record.js";
import { javaEnv } from "../process/environment.js";
import { UserError } from "../terminal/user-error.js";
import { javaArgs, noJava } from "./java-program.js";

/** How the Kafka transaction that wrote a record ended. */
export type TransactionEnd =
  /**
   * `atMs`: its marker, by the broker's clock. `visibleAtMs`: the last marker that a `read_committed` reader waits for:
   * by then no transaction that began before the record is open.
   */
  | { readonly kind: "commit" | "abort"; readonly offset: bigint; readonly atMs: number; readonly visibleAtMs: number }
  /** It has not ended, or there was none. */
  | { readonly kind: "open" | "plain" };

/**
 * Finds the marker that ended a record's transaction. Consumers hide markers: this asks the broker with its own fetch
 * request.
 *
 * @throws {UserError} when Java, the broker or the record is not there, or the limit has passed
 */
export function findCommit(
  brokers: string,
  { topic, partition, offset }: Pick<RawRecord, "topic" | "partition" | "offset">,
  timeoutMs: number,
): Promise<TransactionEnd> {
  return new Promise((resolve, reject) => {
    execFile(
      "java",
      javaArgs("FindCommit", [brokers, topic, String(partition), String(offset), String(Math.ceil(timeoutMs / 1000))]),
      { env: javaEnv() },
      (error, stdout, stderr) => {
        const [kind, marker, atMs, , visibleAtMs] = stdout.trim().split(" ");
        if (error?.code === "ENOENT") reject(noJava(error));
        else if (error)
          reject(
            new UserError(
              `the search for the commit of ${topic} ${partition}@${offset} at ${brokers} failed: ${stderr.trim().split("\n").at(-1) ?? error.message}`,
            ),
          );
        else if (kind === "commit" || kind === "abort")
          resolve({ kind, offset: BigInt(marker!), atMs: Number(atMs), visibleAtMs: Number(visibleAtMs) });
        else resolve({ kind: kind === "plain" ? "plain" : "open" });
      },
    );
  });
}
