import { Command, InvalidArgumentError } from "commander";

import { endpointsAt, portsAt } from "../contract/ports.js";
import type { RawRecord } from "../contract/raw-record.js";
import { readTopics } from "../java/java-reader.js";
import { withAdmin } from "../kafka/client.js";
import { followTopics } from "../kafka/consumer.js";
import { RecordDecoder } from "../kafka/decode.js";
import { interrupted } from "../terminal/interrupted.js";
import { wholeNumber } from "../terminal/option-values.js";
import { UserError } from "../terminal/user-error.js";
import { visible, visibleJson } from "../terminal/visible.js";

const READ_LIMIT_MS = 300_000;
const NEWEST = 10;

interface Options {
  readonly fromBeginning: boolean;
  readonly limit?: number;
  readonly partition?: number;
  readonly offset?: bigint;
  readonly key?: string;
  readonly follow: boolean;
  readonly uncommitted: boolean;
  readonly compact: boolean;
  readonly brokers: string;
}

type Shown = Pick<RawRecord, "topic" | "partition" | "offset" | "timestampMs" | "key" | "value">;

/** `npm run topics`: what stands in Kafka, decoded. @returns the exit code */
export async function main(argv: string[]): Promise<number> {
  const program = new Command("npm run topics --")
    .description(
      "Without a topic, lists all of them. With one, prints its newest records as JSON, with type, key, partition, offset and timestamp; every packed Any is unpacked.",
    )
    .argument("[topic]", "such as decisions")
    .option("--from-beginning", "from the topic's beginning, to where it ends now", false)
    .option(
      "--limit <n>",
      `at most this many records (default: all with --from-beginning, --offset or --follow, else the ${NEWEST} newest)`,
      wholeNumber(1, 1_000_000_000),
    )
    .option("--partition <n>", "of one partition only", wholeNumber(0, 100_000))
    .option("--offset <n>", "from this offset of --partition on", offset)
    .option("--key <key>", "records with this key only, such as an account's id")
    .option("--follow", "go on with what is committed from now on, until Ctrl-C", false)
    .option("--uncommitted", "records of open and aborted transactions too", false)
    .option("--compact", "one record a line", false)
    .option("--brokers <host:port>", "Kafka", endpointsAt(portsAt()).kafka)
    .exitOverride();
  program.parse(argv, { from: "user" });
  const options = program.opts<Options>();
  const [topic] = program.args;
  if (options.offset !== undefined && options.partition === undefined)
    program.error("error: --offset needs --partition.");
  if (options.follow && options.uncommitted)
    program.error("error: --follow shows committed records only; leave out --uncommitted.");
  // `… | head` closes the pipe.
  process.stdout.on("error", () => process.exit(0));

  if (topic === undefined) await list(options.brokers);
  else {
    await requireTopic(options.brokers, topic);
    if (options.follow) await follow(topic, options);
    else for (const record of await select(topic, options)) show(record, options);
  }
  return 0;
}

async function list(brokers: string): Promise<void> {
  const topics = await withAdmin(brokers, async (admin) => {
    const names = (await admin.listTopics()).filter((name) => !name.startsWith("__")).sort();
    return await Promise.all(names.map(async (name) => ({ name, offsets: await admin.fetchTopicOffsets(name) })));
  });
  if (topics.length === 0) console.log("no topics");
  for (const { name, offsets } of topics) {
    const used = offsets.reduce((sum, { low, high }) => sum + BigInt(high) - BigInt(low), 0n);
    // Markers of transactions take offsets too, so this is more than there are records.
    console.log(
      `${visible(name).padEnd(22)} ${String(offsets.length).padStart(3)} partitions  ${String(used).padStart(10)} offsets in use`,
    );
  }
}

async function requireTopic(brokers: string, topic: string): Promise<void> {
  const names = await withAdmin(brokers, (admin) => admin.listTopics());
  if (!names.includes(topic))
    throw new UserError(
      `there is no topic ${topic}. There are: ${
        names
          .filter((name) => !name.startsWith("__"))
          .sort()
          .join(", ") || "none"
      }.`,
    );
}

async function follow(topic: string, options: Options): Promise<void> {
  const { signal, wait } = interrupted();
  let left = options.limit ?? Infinity;
  let enough: () => void = () => undefined;
  const limit = new Promise<void>((resolve) => (enough = resolve));
  const reader = await followTopics({
    brokers: options.brokers,
    topics: [topic],
    from: options.fromBeginning ? "beginning" : "end",
    onRecord: (record) => {
      if (left <= 0 || signal.aborted || !wanted(record, options)) return;
      show(record, options);
      if (--left <= 0) enough();
    },
    onUnreadable: ({ firstOffset, message, ...where }) =>
      process.stdout.write(
        `${visibleJson({ ...where, offset: firstOffset.toString(), lastOffset: where.lastOffset.toString(), problem: message })}\n`,
      ),
  });
  await Promise.race([wait, limit]);
  await reader.stop();
}

/** The records asked for; the newest ones by their timestamp, each partition in its order. */
async function select(topic: string, options: Options): Promise<RawRecord[]> {
  const { brokers, partition, offset } = options;
  const isolation = options.uncommitted ? "read_uncommitted" : "read_committed";
  const filtered = partition !== undefined || options.key !== undefined;
  const ends = await withAdmin(brokers, (admin) => admin.fetchTopicOffsets(topic));
  const known = ends.map((end) => end.partition);
  if (partition !== undefined && !known.includes(partition))
    throw new UserError(
      `topic ${topic} has no partition ${partition}, only ${known.sort((a, b) => a - b).join(", ")}.`,
    );

  if (options.fromBeginning || offset !== undefined) {
    const from = new Map(offset === undefined ? [] : [[partition!, offset]]);
    const { records } = await readTopics({
      brokers,
      topics: [{ topic, from }],
      isolation,
      timeoutMs: READ_LIMIT_MS,
      ...(options.limit !== undefined && !filtered && { limit: options.limit }),
    });
    return records.filter((record) => wanted(record, options)).slice(0, options.limit);
  }
  const limit = options.limit ?? NEWEST;
  // Nobody knows how many offsets before the end are markers and aborted records: reads ever more.
  for (let back = BigInt(limit) * 4n + 50n; ; back *= 20n) {
    const from = new Map(
      ends.map((end) => [
        end.partition,
        BigInt(end.high) - back > BigInt(end.low) ? BigInt(end.high) - back : BigInt(end.low),
      ]),
    );
    const { records } = await readTopics({ brokers, topics: [{ topic, from }], isolation, timeoutMs: READ_LIMIT_MS });
    const found = records.filter((record) => wanted(record, options));
    if (found.length >= limit || ends.every((end) => from.get(end.partition) === BigInt(end.low))) {
      return found
        .sort((a, b) => a.timestampMs - b.timestampMs || a.partition - b.partition || Number(a.offset - b.offset))
        .slice(-limit);
    }
  }
}

function wanted(record: Shown, { partition, key }: Options): boolean {
  return (
    (partition === undefined || record.partition === partition) && (key === undefined || record.key?.toString() === key)
  );
}

const decoder = new RecordDecoder();

function show({ topic, partition, offset, timestampMs, key, value }: Shown, { compact }: Options): void {
  const record = {
    topic,
    partition,
    offset: offset.toString(),
    timestamp: new Date(timestampMs).toISOString(),
    key: key?.toString() ?? null,
    ...decoder.decode(topic, value),
  };
  process.stdout.write(`${visibleJson(record, compact ? undefined : 2)}\n`);
}

function offset(text: string): bigint {
  if (!/^\d{1,19}$/.test(text)) throw new InvalidArgumentError("It must be a whole number, 0 or more.");
  return BigInt(text);
}
