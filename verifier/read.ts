import type { RawRecord } from "../contract/raw-record.js";
import { OUTPUT_TOPICS } from "../contract/topics.js";
import { type ReadPartition, readTopics, scanTopics } from "../java/java-reader.js";
import { poll } from "../process/poll.js";
import { nowAndThen } from "./progress.js";
import { PropertyCheck, type PropertyResult } from "./property.js";
import { JUDGED_TOPICS, RecordStore } from "./store.js";

const READ_LIMIT_MS = 300_000;
const OPEN_LIMIT_MS = 60_000;
/** How many records there are to each check of the signal and each line of progress. */
const LOOK_EVERY = 5_000;

const OUTPUTS = OUTPUT_TOPICS.map(({ name }) => ({ topic: name }));

/** Everything that the verifier judges, read by Kafka's own consumer. The caller closes the store. */
export interface ReadBack {
  readonly records: RecordStore;
  readonly partitions: readonly ReadPartition[];
}

/** Options of a long read. */
export interface ReadOptions {
  /** Is told now and then how much has been read. */
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads what the topics hold now, committed records only, with Kafka's own consumer.
 *
 * @param onRecord - sees each record as it comes
 * @throws {UserError} when Java, the broker or a topic is not there, or the disk is full
 */
export async function readBack(
  brokers: string,
  { onRecord, ...options }: ReadOptions & { readonly onRecord?: (record: RawRecord) => void } = {},
): Promise<ReadBack> {
  const records = new RecordStore();
  try {
    const topics = Object.values(JUDGED_TOPICS).map((topic) => ({ topic }));
    const partitions = await scan(brokers, topics, "read_committed", options, (record) => {
      records.add(record);
      onRecord?.(record);
    });
    return { records, partitions };
  } catch (error) {
    records.close();
    throw error;
  }
}

/** Counts what is in the output topics, aborted records and open transactions included. */
export async function countWritten(brokers: string, options: ReadOptions = {}): Promise<number> {
  let count = 0;
  await scan(brokers, OUTPUTS, "read_uncommitted", options, () => count++);
  return count;
}

/** Where committed reads of the output topics end. */
export type OutputEnds = ReadonlyMap<string, ReadonlyMap<number, bigint>>;

/** Where committed reads of the output topics end now. */
export async function outputEnds(brokers: string): Promise<OutputEnds> {
  return endsOf(
    (await readTopics({ brokers, topics: OUTPUTS, isolation: "read_committed", limit: 1, timeoutMs: READ_LIMIT_MS }))
      .partitions,
  );
}

/** Counts the records that have been committed on the output topics since these ends. */
export async function committedSince(
  brokers: string,
  ends: OutputEnds,
): Promise<{ readonly count: number; readonly ends: OutputEnds }> {
  let count = 0;
  const topics = OUTPUTS.map(({ topic }) => ({ topic, from: ends.get(topic)! }));
  const partitions = await scanTopics(
    { brokers, topics, isolation: "read_committed", timeoutMs: READ_LIMIT_MS },
    () => void count++,
  );
  return { count, ends: endsOf(partitions) };
}

function endsOf(partitions: readonly ReadPartition[]): OutputEnds {
  return new Map(
    OUTPUTS.map(({ topic }) => [
      topic,
      new Map(
        partitions
          .filter((one) => one.topic === topic)
          .map(({ partition, lastStableOffset }) => [partition, lastStableOffset]),
      ),
    ]),
  );
}

async function scan(
  brokers: string,
  topics: readonly { readonly topic: string }[],
  isolation: "read_committed" | "read_uncommitted",
  { onProgress, signal }: ReadOptions,
  onRecord: (record: RawRecord) => void,
): Promise<ReadPartition[]> {
  const progress = nowAndThen(onProgress);
  let count = 0;
  let offsets = 0;
  return scanTopics(
    { brokers, topics, isolation, timeoutMs: READ_LIMIT_MS },
    (record) => {
      onRecord(record);
      if (++count % LOOK_EVERY > 0) return;
      signal?.throwIfAborted();
      // Transaction markers and aborted records have offsets too.
      progress(() => `${count.toLocaleString("en")} records of at most ${offsets.toLocaleString("en")} read`);
    },
    (partitions) =>
      (offsets = partitions.reduce(
        (sum, { from, lastStableOffset, highWatermark }) =>
          sum + Number((isolation === "read_committed" ? lastStableOffset : highWatermark) - from),
        0,
      )),
  );
}

/**
 * Checks whether a transaction is left open on an output partition, that is, whether committed reads get past what is
 * there now. A timer may be writing an alert at this very moment; a transaction hangs if it does not end within the
 * limit, in ms.
 */
export async function noOpenTransaction(brokers: string, limitMs = OPEN_LIMIT_MS): Promise<PropertyResult> {
  const check = new PropertyCheck("no-open-transaction");
  const read = async () =>
    (await readTopics({ brokers, topics: OUTPUTS, isolation: "read_committed", limit: 1, timeoutMs: READ_LIMIT_MS }))
      .partitions;
  const wanted = await read();
  check.looked(wanted.length);
  const behind = (now: readonly ReadPartition[]) =>
    wanted.filter(
      ({ topic, partition, highWatermark }) =>
        now.find((one) => one.topic === topic && one.partition === partition)!.lastStableOffset < highWatermark,
    );
  let open = behind(wanted);
  try {
    if (open.length > 0)
      await poll("open transactions to end", async () => (open = behind(await read())).length === 0, {
        timeoutMs: limitMs,
        intervalMs: 500,
      });
  } catch {
    for (const { topic, partition, lastStableOffset, highWatermark } of open)
      check.violation(
        `a transaction is open: committed reads end at ${lastStableOffset} of ${highWatermark}`,
        `${topic} ${partition}@${lastStableOffset}`,
      );
  }
  return check.result;
}
