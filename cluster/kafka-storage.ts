import { randomBytes } from "node:crypto";
import { existsSync, rmSync, writeFileSync } from "node:fs";

import { javaEnv } from "../process/environment.js";
import { runQuietly } from "../process/run-command.js";
import { UserError } from "../terminal/user-error.js";
import { kafkaClasspath } from "../tools/index.js";
import { kafkaConf, kafkaData } from "./parts/index.js";
import type { ClusterSettings } from "./settings.js";

/**
 * Formats Kafka's storage before its first start. A note beside it says that this was finished: if it was cut short it
 * begins anew, as no broker has ever run on it.
 *
 * @throws {UserError} with the tool's last words
 */
export async function formatKafkaStorage(settings: ClusterSettings): Promise<void> {
  const data = kafkaData(settings);
  const note = `${data}.formatted`;
  if (existsSync(note)) return;
  rmSync(data, { recursive: true, force: true });
  // A cluster id is 16 bytes in base64url; one that began with "-" would be taken for an option.
  const id = randomBytes(16).toString("base64url").replace(/^-/, "A");
  const { code, output } = await runQuietly(
    "java",
    [
      "-Xmx128m",
      "-XX:TieredStopAtLevel=1",
      "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
      "-cp",
      kafkaClasspath(),
      "kafka.tools.StorageTool",
      "format",
      "-t",
      id,
      "-c",
      kafkaConf(settings),
    ],
    javaEnv(),
  );
  if (code !== 0)
    throw new UserError(
      `Kafka's storage could not be formatted: ${output.trim().split("\n").at(-1) ?? `exit code ${code}`}`,
    );
  writeFileSync(note, `${id}\n`);
}
