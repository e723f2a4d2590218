import type { Batch, Consumer, EachBatchPayload, IHeaders, KafkaMessage } from "kafkajs";

import { kafkaClient } from "../kafka/client.js";
import type { OutgoingRecord, RecordWriter } from "../kafka/record-writer.js";
import { IntakeReason, RefusedInput } from "../protos/gen/fraud/v1/intake.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import { pack } from "../statefun/index.js";
import { admit } from "./admission.js";
import type { IntakeMetrics } from "./metrics.js";
import { type Problem, reasonName, RefusedError } from "./problem.js";
import { type Door, DOORS, validRecord } from "./topics.js";

/** All intakes share the partitions among them. */
export const INTAKE_GROUP = "fraud-intake";
/** What is handed to the writer at once; offsets are settled in such steps. */
const STEP_RECORDS = 500;
const HEARTBEAT_MS = 1_000;
/** After a kill the broker waits so long before others get the partitions. */
const SESSION_MS = 6_000;
/** What was read since is read again after a kill. */
const COMMIT_MS = 100;

export interface KafkaDoorsOptions {
  readonly brokers: string;
  readonly writer: RecordWriter;
  readonly maxAheadMs: number;
  readonly metrics: IntakeMetrics;
  /** Something is wrong and is tried again. */
  readonly onError: (error: Error) => void;
}

/** The Kafka doors: reads the public topics, and sorts every record into `*.valid` or `*.rejected`. */
export class KafkaDoors {
  readonly #options: KafkaDoorsOptions;
  readonly #consumer: Consumer;
  #joined = false;

  constructor(options: KafkaDoorsOptions) {
    this.#options = options;
    this.#consumer = kafkaClient(options.brokers, "fraud-intake").consumer({
      groupId: INTAKE_GROUP,
      sessionTimeout: SESSION_MS,
      heartbeatInterval: HEARTBEAT_MS,
      rebalanceTimeout: 10_000,
      // Waits a moment for company: a fetch, a write and a commit for each single record would cost several times as much.
      minBytes: 16 * 1024,
      maxWaitTimeInMs: 20,
      maxBytesPerPartition: 256 * 1024,
      // Retries for good: what is wrong is outside.
      retry: { initialRetryTime: 200, maxRetryTime: 2_000, retries: 1_000_000, restartOnFailure: () => Promise.resolve(true) },
    });
  }

  /** Whether it has its place among the intakes. */
  get joined(): boolean {
    return this.#joined;
  }

  async start(): Promise<void> {
    this.#consumer.on("consumer.group_join", () => (this.#joined = true));
    this.#consumer.on("consumer.crash", ({ payload }) => {
      this.#joined = false;
      this.#options.onError(payload.error);
    });
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: Object.values(DOORS).map((door) => door.in.name), fromBeginning: true });
    await this.#consumer.run({ eachBatchAutoResolve: false, autoCommitInterval: COMMIT_MS, partitionsConsumedConcurrently: 8, eachBatch: (payload) => this.#onBatch(payload) });
  }

  /** Finishes the records in hand, and commits how far it has come. */
  async stop(): Promise<void> {
    await this.#consumer.disconnect();
  }

  /**
   * What it throws makes kafkajs read on from the last settled offset. So a record may be written twice, and never passes
   * an earlier one of its partition: that is what the account counter's repeat detection rests on.
   */
  async #onBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const door = Object.values(DOORS).find((candidate) => candidate.in.name === batch.topic)!;
    for (let at = 0; at < batch.messages.length && payload.isRunning() && !payload.isStale(); at += STEP_RECORDS) {
      const messages = batch.messages.slice(at, at + STEP_RECORDS);
      const written = this.#options.writer.write(messages.map((message) => this.#sort(door, batch, message)));
      await withHeartbeats(written, () => payload.heartbeat());
      payload.resolveOffset(messages.at(-1)!.offset);
      await payload.commitOffsetsIfNecessary();
      await payload.heartbeat();
    }
  }

  #sort(door: Door, { partition }: Batch, message: KafkaMessage): OutgoingRecord {
    const { metrics, maxAheadMs } = this.#options;
    const origin = { topic: door.in.name, partition, offset: BigInt(message.offset) };
    const timestampMs = Number(message.timestamp);
    try {
      if (message.value === null) throw new RefusedError(IntakeReason.EMPTY, "the record has no value");
      const admitted = admit(door.kind, message.value, contentTypeOf(message.headers), { origin }, { nowMs: timestampMs, maxAheadMs });
      metrics.admitted(door.kind, "kafka");
      return validRecord(door, admitted, timestampMs);
    } catch (error) {
      const problem = problemOf(error);
      metrics.refused(door.kind, "kafka", reasonName(problem.reason));
      const refused: RefusedInput = {
        reason: problem.reason,
        message: problem.message,
        field: problem.field,
        origin,
        timestampMs: BigInt(timestampMs),
        key: message.key ?? undefined,
        value: message.value ?? undefined,
        headers: headersOf(message.headers),
      };
      // Beside its original's partition, so that each keeps its order.
      return { topic: door.rejected.name, partition: partition % door.rejected.partitions, key: message.key, value: Buffer.from(Any.encode(pack(RefusedInput, refused)).finish()), timestampMs };
    }
  }
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
  return Object.entries(headers ?? {}).flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one) => ({ name, value: Buffer.from(one ?? "") })));
}

/** Keeps the place among the intakes while a slow broker is waited for. */
async function withHeartbeats(work: Promise<void>, heartbeat: () => Promise<void>): Promise<void> {
  const timer = setInterval(() => void heartbeat().catch(() => undefined), HEARTBEAT_MS);
  try {
    await work;
  } finally {
    clearInterval(timer);
  }
}
