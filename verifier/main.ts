import { readFileSync } from "node:fs";

import { Command, InvalidArgumentError } from "commander";
import pc from "picocolors";

import { html, resultLine, writePage } from "../terminal/html.js";
import { writeJsonReport } from "../terminal/json-report.js";
import { stepView } from "../terminal/step-view.js";
import { ensureReader } from "../tools/index.js";
import { knownInputs } from "./known.js";
import { noOpenTransaction, readBack } from "./read.js";
import { propertiesSection } from "./result-page.js";
import { propertyLines, resultText } from "./result-text.js";
import { verifyStored } from "./verify.js";

const REPORT = "reports/verify";

/** `npm run verify`: judges whatever the topics hold now. @returns 0; 1 when a property does not hold */
export async function main(argv: string[]): Promise<number> {
  const program = new Command("npm run verify --")
    .description(
      `Reads every record of a running cluster with Kafka's own consumer, and judges them: each accepted transaction decided exactly once, in order, every number there, every feature, score and alert as a replay gives it. Judges what stands there: wait until the load is over. Writes ${REPORT}.json and .html.`,
    )
    .option("--brokers <host:port>", "a Kafka broker", "127.0.0.1:9092")
    .option(
      "--settings <json>",
      "settings that the functions had (FRAUD_SETTINGS); repeat for more; @file reads a file",
      addSettings,
      [],
    )
    .option(
      "--model <file>",
      "a model that transactions name and that is not in models/; repeat for more",
      (path: string, before: readonly string[]) => [...before, readable(path)],
      [],
    )
    .exitOverride();
  program.parse(argv, { from: "user" });
  const { brokers, settings, model } = program.opts<{
    brokers: string;
    settings: readonly unknown[];
    model: readonly string[];
  }>();
  const step = stepView();
  await step("tools: Java, Kafka's jars", (onProgress) => ensureReader({ onProgress }));
  const { records } = await step("reading the topics", (onProgress) => readBack(brokers, { onProgress }));
  const open = await step("looking for open transactions", () => noOpenTransaction(brokers));
  const found = await step("replaying every address", (onProgress) =>
    verifyStored(records, knownInputs(settings, model), { more: [open], onProgress }),
  );
  writeJsonReport(`${REPORT}.json`, found);
  writePage(
    `${REPORT}.html`,
    "Verification",
    html`<h1>Verification</h1>${resultLine(found.verdict === "pass", resultText(found))}${propertiesSection(found.properties)}`,
  );
  for (const line of propertyLines(found.properties)) console.log(line);
  console.log(`${found.verdict === "pass" ? pc.green("✔") : pc.red("✘")} ${resultText(found)}; report: ${REPORT}.html`);
  return found.verdict === "pass" ? 0 : 1;
}

function addSettings(text: string, before: readonly unknown[]): unknown[] {
  try {
    return [...before, JSON.parse(text.startsWith("@") ? readFileSync(text.slice(1), "utf8") : text) as unknown];
  } catch (error) {
    throw new InvalidArgumentError(
      `It must be JSON, or @ and a file of JSON (${error instanceof Error ? error.message : String(error)}).`,
    );
  }
}

function readable(path: string): string {
  try {
    JSON.parse(readFileSync(path, "utf8"));
    return path;
  } catch (error) {
    throw new InvalidArgumentError(
      `It must be a model file (${error instanceof Error ? error.message : String(error)}).`,
    );
  }
}
