import { readFileSync } from "node:fs";

import { Command, InvalidArgumentError } from "commander";

import { endpointsAt, MAX_PORT_OFFSET, portsAt } from "../contract/ports.js";
import { writePage } from "../terminal/html.js";
import { writeJsonReport } from "../terminal/json-report.js";
import { wholeNumber } from "../terminal/option-values.js";
import { stepView } from "../terminal/step-view.js";
import { UserError } from "../terminal/user-error.js";
import { visibleAll, visibleJson } from "../terminal/visible.js";
import { ensureReader } from "../tools/index.js";
import { tracePage } from "./page.js";
import { traceLines } from "./text.js";
import { traceTransaction } from "./trace.js";
import type { NoTrace, Trace } from "./types.js";
import { isBad } from "./words.js";

const REPORT = "reports/trace";
const WIDTH = 120;

interface Options {
  readonly account?: string;
  readonly brokers?: string;
  readonly portOffset: number;
  readonly settings: readonly unknown[];
  readonly json: boolean;
}

/** `npm run trace`: the whole way of one transaction. @returns 0; 1 when a replay does not give its evidence */
export async function main(argv: string[]): Promise<number> {
  const program = new Command("npm run trace --")
    .description(
      `Shows the whole way of one transaction: where it came in, each function's section of the evidence, decision, commit and alerts, and the time of each hop. Derives its decision again from what the topics hold, and says whether the evidence is the same, byte for byte. Reads with Kafka's own consumer. Writes ${REPORT}.json and .html, unless --json is given.`,
    )
    .argument("<transaction id>", "such as one that npm run topics -- decisions shows")
    .option("--account <id>", "whose transaction: needed when several accounts have one of this id, and quicker")
    .option("--brokers <host:port>", "a Kafka broker (default: the cluster on this machine)")
    .option(
      "--port-offset <n>",
      "the offset that the cluster on this machine was started with",
      wholeNumber(0, MAX_PORT_OFFSET),
      0,
    )
    .option(
      "--settings <json>",
      "settings that the functions had (FRAUD_SETTINGS), once for each; @file reads a file",
      addSettings,
      [],
    )
    .option("--json", "print the trace as JSON, or why there is none, and write no report", false)
    .exitOverride();
  program.parse(argv, { from: "user" });
  const {
    account,
    portOffset,
    settings,
    json,
    brokers = endpointsAt(portsAt(portOffset)).kafka,
  } = program.opts<Options>();
  const transactionId = program.args[0]!;
  const step = stepView();
  const work = async (): Promise<Trace> => {
    await step("tools: Java, Kafka's classes", (onProgress) => ensureReader({ onProgress }));
    return await step(`tracing ${transactionId}`, (onProgress) =>
      traceTransaction({ brokers, transactionId, accountId: account, settings, onProgress }),
    );
  };
  const trace = await work().catch((error: unknown) => {
    if (json && error instanceof UserError)
      console.log(visibleJson({ error: { code: error.code, message: error.message } } satisfies NoTrace));
    throw error;
  });
  if (json) console.log(visibleJson(trace, 2));
  else {
    writeJsonReport(`${REPORT}.json`, trace);
    writePage(`${REPORT}.html`, `Transaction ${transactionId}`, tracePage(trace));
    console.log(`\n${traceLines(visibleAll(trace), process.stdout.columns || WIDTH).join("\n")}`);
    console.log(`  report: ${REPORT}.html`);
  }
  return trace.rederivation !== undefined && isBad(trace.rederivation) ? 1 : 0;
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
