import { Command, InvalidArgumentError, Option } from "commander";

import { endpointsAt, portsAt } from "../contract/ports.js";
import { RecordDecoder } from "../kafka/decode.js";
import { interrupted } from "../terminal/interrupted.js";
import { wholeNumber } from "../terminal/option-values.js";
import { UserError } from "../terminal/user-error.js";
import { visibleJson } from "../terminal/visible.js";
import { placesDataSet } from "./handbook-places/data-set.js";
import { handbookDataSet } from "./handbook/data-set.js";
import { HANDBOOK_LABEL_DELAY_MS, handbookItems } from "./handbook/items.js";
import { encodeItem, type GeneratorTarget, topicOf } from "./item-sender.js";
import { defaultStart, newRunId, sendItems } from "./producer.js";
import { simulate, type SimulatedItem } from "./simulator.js";

const PROGRESS_MS = 1_000;
const HOUR_MS = 3_600_000;
const PROFILES = ["simulated", "handbook", "handbook-places"] as const;
/** What the data sets leave nothing to say about. */
const FIXED = {
  handbook: ["seed", "start", "accounts", "merchants"],
  "handbook-places": ["seed", "start", "accounts", "merchants", "labelDelay"],
} as const;

interface Options {
  readonly profile: (typeof PROFILES)[number];
  readonly transactions?: number;
  readonly rate: number;
  readonly seed: number;
  readonly runId?: string;
  readonly start?: number;
  readonly accounts: number;
  readonly merchants: number;
  readonly labelDelay?: number;
  readonly brokers: string;
  readonly pastIntake: boolean;
  readonly print: boolean;
}

/** `npm run generate`: simulated transactions and labels into Kafka. @returns the exit code */
export async function main(argv: string[]): Promise<number> {
  const program = new Command("npm run generate --")
    .description(
      "Sends simulated card transactions, with frauds of three patterns among them, and the labels on them. The same --profile, --seed, --run-id, --start, --accounts, --merchants and --label-delay give the same bytes.",
    )
    .addOption(
      new Option(
        "--profile <name>",
        "simulated: endless, with places and merchants' popularity. handbook: the 1,754,155 transactions of the Fraud Detection Handbook, April to September 2018, bit for bit; customers are accounts, terminals merchants. handbook-places: 1,787,037 more by the same simulation with places, web shops, journeys, stolen cards, and labels that come sooner, later or never",
      )
        .choices(PROFILES)
        .default("simulated"),
    )
    .option(
      "--transactions <n>",
      "send so many (default: until Ctrl-C, or the end of the data set)",
      wholeNumber(1, 100_000_000),
    )
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
    .option(
      "--label-delay <hours>",
      `mean time from a fraud to its label, in event time; of the Handbook's frauds each one's (default: 6, the Handbook's ${HANDBOOK_LABEL_DELAY_MS / HOUR_MS})`,
      wholeNumber(1, 10_000),
    )
    .option("--brokers <host:port>", "Kafka", endpointsAt(portsAt()).kafka)
    .option("--past-intake", "write transactions.valid and labels.valid instead of transactions and labels", false)
    .option("--print", "write the records to the standard output as JSON, one a line, instead of to Kafka", false)
    .exitOverride();
  program.parse(argv, { from: "user" });
  const options = program.opts<Options>();
  const id = options.runId ?? newRunId();
  const target = options.pastIntake ? "valid" : "public";
  const { signal } = interrupted();
  const { profile } = options;
  const source = profile === "simulated" ? simulation(options, id) : dataSet(profile, options.labelDelay, id, program);
  if (options.print) {
    print(source.items(), options.transactions ?? Infinity, target);
    return 0;
  }
  let transactions = 0;
  let labels = 0;
  const line = () =>
    `run ${id}: ${transactions}${options.transactions === undefined ? "" : ` of ${options.transactions}`} transactions, ${labels} labels`;
  const timer = setInterval(() => console.error(line()), PROGRESS_MS);
  try {
    const sent = await sendItems(source.items(), {
      brokers: options.brokers,
      target,
      rate: options.rate,
      transactions: options.transactions,
      signal,
      onSend: ({ kind }) => void (kind === "transaction" ? transactions++ : labels++),
    });
    const seconds = sent.elapsedMs / 1000;
    const frauds = Object.entries(sent.frauds).map(([pattern, count]) => `${count} ${pattern}`);
    console.log(
      `run ${id}: ${sent.sentTransactions} transactions in ${seconds.toFixed(1)} s (${Math.round(sent.sentTransactions / seconds)}/s), ${sent.sentLabels} labels; frauds: ${frauds.join(", ") || "none"}`,
    );
    console.log(`the same again: ${source.again}`);
  } finally {
    clearInterval(timer);
  }
  return 0;
}

/** What is sent, and the options that give the same again. */
interface Source {
  readonly items: () => Iterator<SimulatedItem, void, void>;
  readonly again: string;
}

function simulation({ seed, start, accounts, merchants, labelDelay = 6, transactions }: Options, id: string): Source {
  const startMs = start ?? defaultStart(Date.now(), accounts, transactions);
  return {
    items: () => simulate({ seed, runId: id, startMs, accounts, merchants, labelDelayMs: labelDelay * HOUR_MS }),
    again: `--seed ${seed} --run-id ${id} --start ${new Date(startMs).toISOString()} --accounts ${accounts} --merchants ${merchants} --label-delay ${labelDelay}`,
  };
}

/** @throws {UserError} when something is to be otherwise that the data set has fixed */
function dataSet(profile: keyof typeof FIXED, labelDelay: number | undefined, id: string, program: Command): Source {
  const told = FIXED[profile].find((name) => program.getOptionValueSource(name) === "cli");
  if (told !== undefined)
    throw new UserError(
      `--${told === "labelDelay" ? "label-delay" : told} can't be chosen with --profile ${profile}: the data set is what it is.`,
    );
  const again = `--profile ${profile} --run-id ${id}`;
  if (profile === "handbook-places") return { items: () => handbookItems(placesDataSet(), { runId: id }), again };
  const labelDelayMs = labelDelay === undefined ? HANDBOOK_LABEL_DELAY_MS : labelDelay * HOUR_MS;
  return {
    items: () => handbookItems(handbookDataSet(), { runId: id, labelDelayMs }),
    again: `${again} --label-delay ${labelDelayMs / HOUR_MS}`,
  };
}

function print(items: Iterator<SimulatedItem, void, void>, transactions: number, target: GeneratorTarget): void {
  const decoder = new RecordDecoder();
  // `… | head` closes the pipe.
  process.stdout.on("error", () => process.exit(0));
  let left = transactions;
  for (let next = items.next(); !next.done; next = items.next()) {
    const item = next.value;
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
