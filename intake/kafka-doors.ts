import type { Batch, EachBatchPayload, IHeaders, KafkaMessage } from "kafkajs";

import { INTAKE_GROUP } from "../contract/topics.js";
import { withAdmin } from "../kafka/client.js";
import type { ConsumerHealth } from "../kafka/consumer-health.js";
import { partitionKey } from "../kafka/log-dirs.js";
import { LogWatch } from "../kafka/log-watch.js";
import { unreadableBatch, type UnreadableBatch } from "../kafka/record-batches.js";
import { type OutgoingRecord, type RecordWriter, sizeOf } from "../kafka/record-writer.js";
import { type CommittedPosition, noteOf } from "../kafka/source-logs.js";
import { SupervisedConsumer } from "../kafka/supervised-consumer.js";
import { IntakeReason, RefusedInput } from "../protos/gen/fraud/v1/intake.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import { pack } from "../statefun/index.js";
import { admit } from "./admission.js";
import type { IntakeMetrics } from "./metrics.js";
import type { ModelsInForceIndex } from "./models-in-force.js";
import { type Problem, reasonName, RefusedError } from "./problem.js";
import { type Door, DOORS, largestRecordBytes, validRecord } from "./topics.js";

/** How much is handed to the writer at once; offsets are settled in such steps. */
const STEP_RECORDS = 500;
const HEARTBEAT_MS = 1_000;
/** How long the broker waits after a kill before others get the partitions. */
const SESSION_MS = 6_000;
/** The commit interval: what was read since the last commit is read again after a kill. */
const COMMIT_MS = 100;
/** How often to check whether the pipeline has caught up. */
const BEHIND_MS = 250;
/** How often to check whether a topic was made again while nothing comes from it. */
const LOOK_MS = 1_000;
const SOURCES = Object.values(DOORS).map((door) => door.in.name);

export interface KafkaDoorsOptions {
  readonly brokers: string;
  readonly writer: RecordWriter;
  /** Whether so much waits for the pipeline that transactions are better left where they are. */
  readonly behind: () => boolean;
  /** Whether nothing may be written for want of room. */
  readonly noRoom: () => boolean;
  readonly maxAheadMs: number;
  /** What transactions are stamped with; known before {@link KafkaDoors.start}. */
  readonly models: Pick<ModelsInForceIndex, "stamps">;
  readonly metrics: IntakeMetrics;
  /** Called when something went wrong that will be tried again. */
  readonly onError: (error: Error) => void;
}

/**
 * The Kafka doors: they read the public topics, and sort every record into `*.valid` or `*.rejected`. Once enough
 * transactions wait for the pipeline, they take no more than it does: admitting them earlier would take processor time
 * from deciding them.
 */
export class KafkaDoors {
  readonly #options: KafkaDoorsOptions;
  readonly #consumer: SupervisedConsumer;
  readonly #logs: LogWatch;
  /** Partitions that are not read while the pipeline is behind, or Kafka has no room. */
  #paused: { readonly closed: () => boolean; readonly goOn: () => void }[] = [];
  #looking: NodeJS.Timeout | undefined;

  constructor(options: KafkaDoorsOptions) {
    this.#options = options;
    this.#consumer = new SupervisedConsumer({
      brokers: options.brokers,
      clientId: "fraud-intake",
      name: "Kafka doors",
      topics: SOURCES,
      consumer: () => ({
        groupId: INTAKE_GROUP,
        sessionTimeout: SESSION_MS,
        heartbeatInterval: HEARTBEAT_MS,
        rebalanceTimeout: 10_000,
        // Waits a moment for more records: a fetch, a write and a commit for each single one would cost several times
        // as much.
        minBytes: 16 * 1024,
        maxWaitTimeInMs: 20,
        maxBytesPerPartition: 256 * 1024,
        // Whoever deletes a topic makes it again with the right settings.
        allowAutoTopicCreation: false,
        // Retries without end: the cause is outside this process.
        retry: { initialRetryTime: 200, maxRetryTime: 2_000, retries: 1_000_000 },
      }),
      run: { eachBatchAutoResolve: false, autoCommit: false, partitionsConsumedConcurrently: 8 },
      onJoin: (_, assignment) => this.#logs.joined(assignment),
      eachBatch: (payload) => this.#onBatch(payload),
      onError: options.onError,
    });
    this.#logs = new LogWatch({
      brokers: options.brokers,
      topics: SOURCES,
      everyMs: LOOK_MS,
      committed: () => this.#committed(),
      seek: (topic, partition, offset) => this.#consumer.seek(topic, partition, offset),
    });
  }

  /** Whether it has joined the group of intakes. */
  get joined(): boolean {
    return this.#consumer.joined;
  }

  get health(): ConsumerHealth {
    return this.#consumer.health;
  }

  /**
   * How far the intakes have come: the offsets that their group has committed, by {@link partitionKey}. Where an offset
   * counts in a log that is gone, or nobody knows in which, none is told.
   *
   * @throws when no broker answers
   */
  async taken(): Promise<ReadonlyMap<string, bigint>> {
    const [committed, ids] = await Promise.all([this.#committed(), this.#logs.ids()]);
    return new Map(
      committed.flatMap(({ topic, partition, offset, metadata }) => {
        const log = ids.get(topic);
        return log !== undefined && metadata === noteOf(log) && offset >= 0n
          ? [[partitionKey(topic, partition), offset] as const]
          : [];
      }),
    );
  }

  async #committed(): Promise<CommittedPosition[]> {
    const topics = await withAdmin(this.#options.brokers, (admin) =>
      admin.fetchOffsets({ groupId: INTAKE_GROUP, topics: SOURCES }),
    );
    return topics.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset, metadata }) => ({ topic, partition, offset: BigInt(offset), metadata })),
    );
  }

  async start(): Promise<void> {
    await this.#consumer.start();
    this.#logs.start();
    this.#looking = setInterval(() => {
      const open = this.#paused.filter(({ closed }) => !closed());
      this.#paused = this.#paused.filter((one) => !open.includes(one));
      for (const { goOn } of open) goOn();
    }, BEHIND_MS);
  }

  /** Finishes the records in hand, and commits how far it has come. */
  async stop(): Promise<void> {
    clearInterval(this.#looking);
    await this.#consumer.stop();
    await this.#logs.stop();
  }

  /**
   * What it throws makes kafkajs read on from the last settled offset. So a record may be written twice, but never
   * overtakes an earlier one of its partition: the account counter's detection of repeats rests on that.
   */
  async #onBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const door = Object.values(DOORS).find((candidate) => candidate.in.name === batch.topic)!;
    const { behind, noRoom } = this.#options;
    const closed = (): boolean => noRoom() || (door.kind === "transaction" && behind());
    if (closed()) {
      // What was fetched is fetched again.
      this.#paused.push({ closed, goOn: payload.pause() });
      return;
    }
    const log = await this.#logs.logOf(batch.topic, batch.partition).catch((cause: unknown) => {
      // One of kafkajs' own errors could end its consumer.
      throw new Error(`no broker says which log topic ${batch.topic} is`, { cause: String(cause) });
    });
    if (log === undefined || payload.isStale()) return;
    let committedAtMs = Date.now();
    for (let at = 0; at < batch.messages.length && payload.isRunning(); at += STEP_RECORDS) {
      const messages = batch.messages.slice(at, at + STEP_RECORDS);
      const written = this.#options.writer.write(messages.map((message) => this.#sort(door, batch, log, message)));
      await withHeartbeats(written, () => payload.heartbeat());
      payload.resolveOffset(messages.at(-1)!.offset);
      const isLast = at + STEP_RECORDS >= batch.messages.length;
      if (isLast || Date.now() >= committedAtMs + COMMIT_MS) {
        await commit(payload, log);
        committedAtMs = Date.now();
      }
      await payload.heartbeat();
    }
  }

  #sort(door: Door, { partition }: Batch, log: Buffer, message: KafkaMessage): OutgoingRecord {
    const { metrics, maxAheadMs, models } = this.#options;
    const timestampMs = Number(message.timestamp);
    const unreadable = unreadableBatch(message);
    const origin = {
      topic: door.in.name,
      partition,
      offset: unreadable?.firstOffset ?? BigInt(message.offset),
      topicId: log.length === 0 ? undefined : log,
      leaderEpoch: leaderEpochOf(message),
    };
    try {
      if (unreadable !== undefined) throw refusalOf(unreadable);
      if (message.value === null) throw new RefusedError(IntakeReason.EMPTY, "the record has no value");
      const admitted = admit(
        door.kind,
        message.value,
        contentTypeOf(message.headers),
        { origin },
        { nowMs: timestampMs, maxAheadMs },
        models.stamps,
      );
      metrics.admitted(door.kind, "kafka");
      return validRecord(door, admitted, timestampMs);
    } catch (error) {
      const { reason, message: why, field } = problemOf(error);
      metrics.refused(door.kind, "kafka", reasonName(reason));
      return refusedRecord(door, message, { reason, message: why, field, origin, timestampMs: BigInt(timestampMs) });
    }
  }
}

const refusalOf = ({ kind, message }: UnreadableBatch): RefusedError =>
  new RefusedError(kind === "too-large" ? IntakeReason.TOO_LARGE : IntakeReason.UNREADABLE, message);

/**
 * The rejected record, with its key, headers and bytes, or without them where the broker would not take it: unpacked,
 * it may be larger than any record that came.
 */
function refusedRecord(
  { rejected }: Door,
  { key, value, headers }: KafkaMessage,
  why: Pick<RefusedInput, "reason" | "message" | "field" | "origin" | "timestampMs">,
): OutgoingRecord {
  const record = (whole: boolean): OutgoingRecord => {
    const lengths = `its ${key?.length ?? 0} bytes of key, ${value?.length ?? 0} of value, and its headers`;
    const refused: RefusedInput = {
      ...why,
      ...(whole
        ? { key: key ?? undefined, value: value ?? undefined, headers: headersOf(headers) }
        : {
            message: `${why.message} (${lengths} are too large to be kept)`,
            key: undefined,
            value: undefined,
            headers: [],
          }),
    };
    // In the same partition as its original, so that each keeps its order.
    return {
      topic: rejected.name,
      partition: why.origin!.partition % rejected.partitions,
      key: whole ? key : null,
      value: Buffer.from(Any.encode(pack(RefusedInput, refused)).finish()),
      timestampMs: Number(why.timestampMs),
    };
  };
  const whole = record(true);
  return sizeOf(whole) <= largestRecordBytes(rejected) ? whole : record(false);
}

/** Commits how far the batch's partition has been read, and in which log. */
async function commit(payload: EachBatchPayload, log: Buffer): Promise<void> {
  const { topic, partition } = payload.batch;
  // Based on what kafkajs has settled: beyond a batch's last record there may be transaction markers. Its types say
  // that a partition is a number; it is a string.
  const offset = payload
    .uncommittedOffsets()
    .topics.find((one) => one.topic === topic)
    ?.partitions.find((one) => Number(one.partition) === partition)?.offset;
  if (offset === undefined) return;
  // kafkajs passes it on, but its types don't say so.
  const position = { partition, offset, metadata: noteOf(log) };
  await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions: [position] }] });
}

/** kafkajs takes it from the record's batch; records from before Kafka 0.11 have none. */
function leaderEpochOf(message: KafkaMessage): number {
  const { batchContext } = message as KafkaMessage & {
    readonly batchContext?: { readonly partitionLeaderEpoch: number };
  };
  return Math.max(0, batchContext?.partitionLeaderEpoch ?? 0);
}

/** A bug of ours must not stop the topic either: the record is set aside with what happened. */
function problemOf(error: unknown): Problem {
  if (error instanceof RefusedError) return error;
  return { reason: IntakeReason.INTERNAL, message: error instanceof Error ? error.message : String(error), field: "" };
}

type HeaderValue = IHeaders[string];
const first = (value: HeaderValue): Buffer | string | undefined => (Array.isArray(value) ? value[0] : value);

function contentTypeOf(headers: IHeaders | undefined): string | undefined {
  const name = Object.keys(headers ?? {}).find((header) => header.toLowerCase() === "content-type");
  return name === undefined ? undefined : first(headers![name])?.toString();
}

function headersOf(headers: IHeaders | undefined): RefusedInput["headers"] {
  return Object.entries(headers ?? {}).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => ({ name, value: Buffer.from(one ?? "") })),
  );
}

/** Stays in the group of intakes while a slow broker is waited for. */
async function withHeartbeats(work: Promise<void>, heartbeat: () => Promise<void>): Promise<void> {
  const timer = setInterval(() => void heartbeat().catch(() => undefined), HEARTBEAT_MS);
  try {
    await work;
  } finally {
    clearInterval(timer);
  }
}
