import { readFileSync } from "node:fs";

import { Command, InvalidArgumentError } from "commander";
import pc from "picocolors";

import { endpointsAt, portsAt } from "../contract/ports.js";
import { kafkaClient } from "../kafka/client.js";
import { RecordDecoder } from "../kafka/decode.js";
import { wholeNumber } from "../terminal/option-values.js";
import { UserError } from "../terminal/user-error.js";
import { visible, visibleJson } from "../terminal/visible.js";
import { corrected } from "./corrected.js";
import { type RefusedRecord, refusedRecords, wasNotKept } from "./refused-records.js";

interface Common {
  readonly brokers: string;
}
interface Filter extends Common {
  readonly reason?: string;
  readonly topic?: string;
}
interface Replay extends Filter {
  readonly all: boolean;
  readonly set: readonly (readonly [string, unknown])[];
  readonly value?: string;
  readonly dryRun: boolean;
}

/** `npm run rejected`: what was refused, why, and once more. @returns the exit code */
export async function main(argv: string[]): Promise<number> {
  const program = new Command("npm run rejected --")
    .description("Shows what the intake and the account counter have refused, and sends it again.")
    .exitOverride();
  const common = (command: Command) =>
    command.option("--brokers <host:port>", "Kafka", endpointsAt(portsAt()).kafka).exitOverride();
  const filtered = (command: Command) =>
    common(command)
      .option("--reason <name>", "only these, such as MISSING_FIELD or ID_CONFLICT", (text) => text.toUpperCase())
      .option("--topic <name>", "only those of this public topic");

  filtered(program.command("list"))
    .description("one line each, the oldest first, and how many for each reason")
    .option("--limit <n>", "only the newest", wholeNumber(1, 1_000_000))
    .option("--json", "as JSON, one a line", false)
    .action(async (options: Filter & { limit?: number; json: boolean }) => list(await select(options), options));
  common(program.command("show"))
    .description("one record: why it was refused, where it came from, and its bytes")
    .argument(
      "<record>",
      "as list names it, or without what follows the @ as long as that is clear, such as transactions-2-17",
    )
    .action(async (name: string, options: Common) => show(find(await refusedRecords(options.brokers), name)));
  filtered(program.command("replay"))
    .description(
      "sends records to their public topic again, as they are or corrected; a record that keeps its id and content is decided once, however often it is sent",
    )
    .argument("[records...]", "as list names them")
    .option("--all", "all that --reason and --topic leave", false)
    .option(
      "--set <field=value>",
      "change a field of a JSON record first, such as eventTimeMs=1790000000000; may be given again",
      assignment,
      [],
    )
    .option("--value <file>", "send this file's content instead (one record only)")
    .option("--dry-run", "print what would be sent", false)
    .action(async (names: string[], options: Replay) => replay(names, options));
  await program.parseAsync(argv, { from: "user" });
  return 0;
}

async function select({ brokers, reason, topic }: Filter): Promise<RefusedRecord[]> {
  const records = await refusedRecords(brokers);
  return records.filter(
    (record) => (reason === undefined || record.reason === reason) && (topic === undefined || record.topic === topic),
  );
}

function find(records: readonly RefusedRecord[], name: string): RefusedRecord {
  const exact = records.find((candidate) => candidate.name === name);
  if (exact !== undefined) return exact;
  // Without its log, as long as there is one of it.
  const [record, another] = records.filter((candidate) => candidate.name.startsWith(`${name}@`));
  if (record === undefined) throw new UserError(`nothing was refused at ${name}. See: npm run rejected -- list`);
  if (another !== undefined)
    throw new UserError(
      `the topic was made again since, and several records were refused at ${name}: say which log, such as ${another.name}`,
    );
  return record;
}

function list(
  records: readonly RefusedRecord[],
  { limit, json }: { readonly limit?: number; readonly json: boolean },
): void {
  // `… | head` closes the pipe.
  process.stdout.on("error", () => process.exit(0));
  for (const { name, by, reason, message, field, timestampMs, value } of records.slice(
    limit === undefined ? 0 : -limit,
  )) {
    const time = new Date(timestampMs).toISOString();
    if (json)
      console.log(
        visibleJson({ place: name, by, reason, message, field, timestamp: time, bytes: value?.length ?? null }),
      );
    else console.log(`${time}  ${visible(name).padEnd(46)} ${visible(reason).padEnd(14)} ${visible(message)}`);
  }
  if (json) return;
  const counts = new Map<string, number>();
  for (const { reason } of records) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  console.log(
    `${records.length} refused${counts.size > 0 ? `: ${[...counts].map(([reason, count]) => `${count} ${visible(reason)}`).join(", ")}` : ""}`,
  );
}

function show(record: RefusedRecord): void {
  const { name, by, reason, message, field, timestampMs, topic, key, value, headers } = record;
  const row = (label: string, text: string) => console.log(`${pc.dim(label.padEnd(10))} ${visible(text)}`);
  row("record", name);
  row("refused by", by);
  row("reason", reason);
  row("message", message);
  if (field !== "") row("field", field);
  row("time", new Date(timestampMs).toISOString());
  row("topic", topic);
  row("key", key === null ? "none" : key.toString());
  for (const header of headers) row("header", `${header.name}: ${header.value.toString()}`);
  row("bytes", value !== null ? String(value.length) : wasNotKept(record) ? "not kept" : "none (a tombstone)");
  if (value === null) return;
  const { type, value: decoded } = new RecordDecoder().decode(topic, value);
  if (type !== undefined) console.log(`${pc.dim(`read as ${type}:`)}\n${visibleJson(decoded, 2)}`);
  else console.log(`${pc.dim("base64:")}\n${value.toString("base64")}`);
}

async function replay(names: readonly string[], options: Replay): Promise<void> {
  if (options.all === names.length > 0)
    throw new UserError("name the records to replay, or say --all (with --reason or --topic to choose).");
  if (options.value !== undefined && names.length !== 1) throw new UserError("--value is for one record.");
  const records = await select(options);
  const wanted = options.all ? records : names.map((name) => find(records, name));
  const gone = options.value === undefined ? wanted.filter(wasNotKept) : [];
  if (gone.length > 0 && !options.all)
    throw new UserError(
      `the bytes of ${gone.map(({ name }) => name).join(", ")} were not kept: they were too large, or could not be unpacked. Send others with --value.`,
    );
  for (const { name } of gone) console.log(`${visible(name)} is not sent: its bytes were not kept`);
  const chosen = wanted.filter((record) => !gone.includes(record));
  const messages = chosen.map((record) => ({ record, value: newValue(record, options) }));
  if (options.dryRun) {
    for (const { record, value } of messages)
      console.log(visible(`${record.name} → ${record.topic}: ${value === null ? "null" : value.toString()}`));
    return;
  }
  const producer = kafkaClient(options.brokers, "fraud-replay", { patient: false }).producer({
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  try {
    for (const { record, value } of messages) {
      const headers = Object.fromEntries(record.headers.map((header) => [header.name, header.value]));
      const [answer] = await producer.send({
        topic: record.topic,
        messages: [{ key: record.key, value, headers: { ...headers, "replay-of": record.name } }],
      });
      console.log(
        `${visible(`${record.name} sent again: ${record.topic}`)}-${answer!.partition}-${answer!.baseOffset}`,
      );
    }
  } finally {
    await producer.disconnect();
  }
}

function newValue(record: RefusedRecord, { set, value }: Replay): Buffer | null {
  if (value !== undefined) {
    try {
      return readFileSync(value);
    } catch (cause) {
      throw new UserError(`${value} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      });
    }
  }
  if (set.length === 0) return record.value;
  try {
    return corrected(record.value, set);
  } catch (cause) {
    throw new UserError(
      `--set can't change ${record.name}: it must be a JSON object that names each field once (${cause instanceof Error ? cause.message : ""}). Correct it in a file, and send that with --value.`,
      { cause },
    );
  }
}

function assignment(
  text: string,
  before: readonly (readonly [string, unknown])[],
): readonly (readonly [string, unknown])[] {
  const equals = text.indexOf("=");
  if (equals < 1) throw new InvalidArgumentError("It must be field=value.");
  const value = text.slice(equals + 1);
  // Numbers, booleans, null and objects as JSON has them; anything else is text.
  let parsed: unknown = value;
  try {
    parsed = JSON.parse(value);
  } catch {
    // Text.
  }
  return [...before, [text.slice(0, equals), parsed]];
}
