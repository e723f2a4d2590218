import { spawn } from "node:child_process";

import { javaEnv } from "../process/environment.js";
import { kafkaClasspath } from "../tools/index.js";

/**
 * Kafka's own console producer, as people use it: each line becomes a record.
 *
 * @returns its exit code and all that it printed
 */
export function consoleProducer(
  brokers: string,
  topic: string,
  lines: readonly string[],
  options: readonly string[] = [],
): Promise<{ code: number; output: string }> {
  const args = [
    "-cp",
    kafkaClasspath(),
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
    "kafka.tools.ConsoleProducer",
    "--bootstrap-server",
    brokers,
    "--topic",
    topic,
    ...options,
  ];
  return new Promise((resolve, reject) => {
    const child = spawn("java", args, { stdio: ["pipe", "pipe", "pipe"], env: javaEnv() });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
    child.stdin.end(`${lines.join("\n")}\n`);
  });
}
