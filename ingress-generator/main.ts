import { Command, InvalidArgumentError } from "commander";

import { endpointsAt, portsAt } from "../contract/ports.js";
import { RecordDecoder } from "../kafka/decode.js";
import { interrupted } from "../terminal/interrupted.js";
import { wholeNumber } from "../terminal/option-values.js";
import { visibleJson } from "../terminal/visible.js";
import { defaultStart, encodeItem, type GeneratorTarget, newRunId, runGenerator, topicOf } from "./producer.js";
import { simulate } from "./simulator.js";

const PROGRESS_MS = 1_000;
const HOUR_MS = 3_600_000;

interface Options {
  readonly transactions?: number;
  readonly rate: number;
  readonly seed: number;
  readonly runId?: string;
  readonly start?: number;
  readonly accounts: number;
  readonly merchants: number;
  readonly labelDelay: number;
  readonly brokers: string;
  readonly pastIntake: boolean;
  readonly print: boolean;
}

/** `npm run generate`: simulated transactions and labels into Kafka. @returns the exit code */
export async function main(argv: string[]): Promise<number> {
  const program = new Command("npm run generate --")
    .description(
      "Sends simulated card transactions, with frauds of three patterns among them, and the labels on them. The same --seed, --run-id, --start, --accounts, --merchants and --label-delay give the same bytes.",
    )
    .option("--transactions <n>", "send so many (default: until Ctrl-C)", wholeNumber(1, 100_000_000))
    .option("--rate <n>", "transactions a second", wholeNumber(1, 20_000), 200)
    .option("--seed <n>", "of the random numbers", wholeNumber(0, 2 ** 31 - 1), 7)
    .option(
      "--run-id <id>",
      "begins every id, so that no run is taken for a repeat of another (default: a new one each time)",
      runId,
    )
    .option(
      "--start <time>",
      "event time of the beginning, such as 2026-01-01T00:00Z (default: such that the run ends a day ago)",
      time,
    )
    .option(
      "--accounts <n>",
      "accounts, each with about 5 transactions a day of event time",
      wholeNumber(10, 1_000_000),
      1000,
    )
    .option("--merchants <n>", "merchants, popular by Zipf's law", wholeNumber(10, 100_000), 200)
    .option("--label-delay <hours>", "mean time from a fraud to its label, in event time", wholeNumber(1, 10_000), 6)
    .option("--brokers <host:port>", "Kafka", endpointsAt(portsAt()).kafka)
    .option("--past-intake", "write transactions.valid and labels.valid instead of transactions and labels", false)
    .option("--print", "write the records to the standard output as JSON, one a line, instead of to Kafka", false)
    .exitOverride();
  program.parse(argv, { from: "user" });
  const options = program.opts<Options>();
  const id = options.runId ?? newRunId();
  const target = options.pastIntake ? "valid" : "public";
  const { signal } = interrupted();
  const simulation = {
    seed: options.seed,
    runId: id,
    accounts: options.accounts,
    merchants: options.merchants,
    labelDelayMs: options.labelDelay * HOUR_MS,
  };

  if (options.print) {
    print(
      { ...simulation, startMs: options.start ?? defaultStart(Date.now(), options.accounts, options.transactions) },
      options.transactions ?? Infinity,
      target,
    );
    return 0;
  }
  let transactions = 0;
  let labels = 0;
  const line = () =>
    `run ${id}: ${transactions}${options.transactions === undefined ? "" : ` of ${options.transactions}`} transactions, ${labels} labels`;
  const timer = setInterval(() => console.error(line()), PROGRESS_MS);
  try {
    const generated = await runGenerator({
      ...simulation,
      startMs: options.start,
      brokers: options.brokers,
      target,
      rate: options.rate,
      transactions: options.transactions,
      signal,
      onSend: ({ kind }) => void (kind === "transaction" ? transactions++ : labels++),
    });
    const seconds = generated.elapsedMs / 1000;
    const frauds = Object.entries(generated.frauds).map(([pattern, count]) => `${count} ${pattern}`);
    console.log(
      `run ${id}: ${generated.sentTransactions} transactions in ${seconds.toFixed(1)} s (${Math.round(generated.sentTransactions / seconds)}/s), ${generated.sentLabels} labels; frauds: ${frauds.join(", ") || "none"}`,
    );
    console.log(
      `the same again: --seed ${options.seed} --run-id ${id} --start ${new Date(generated.startMs).toISOString()} --accounts ${options.accounts} --merchants ${options.merchants} --label-delay ${options.labelDelay}`,
    );
  } finally {
    clearInterval(timer);
  }
  return 0;
}

function print(simulation: Parameters<typeof simulate>[0], transactions: number, target: GeneratorTarget): void {
  const decoder = new RecordDecoder();
  // `… | head` closes the pipe.
  process.stdout.on("error", () => process.exit(0));
  let left = transactions;
  for (const item of simulate(simulation)) {
    if (item.kind === "transaction" && left-- <= 0) return;
    const topic = topicOf(item, target);
    process.stdout.write(
      `${visibleJson({ topic, key: item.message.accountId, fraud: item.kind === "transaction" ? item.fraud : undefined, ...decoder.decode(topic, encodeItem(item)) })}\n`,
    );
  }
}

function runId(text: string): string {
  if (!/^[a-z0-9][a-z0-9.]{0,31}$/i.test(text))
    throw new InvalidArgumentError("It must be up to 32 letters, digits and dots.");
  return text;
}

function time(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms) || ms <= 0) throw new InvalidArgumentError("It must be a time such as 2026-01-01T00:00Z.");
  return ms;
}
