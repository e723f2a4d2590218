import { setTimeout as delay } from "node:timers/promises";

import type { IHeaders, Message, Producer } from "kafkajs";

import { kafkaClient } from "./client.js";

/** A record on its way to Kafka. */
export interface OutgoingRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer | string | null;
  readonly value: Buffer | null;
  /** In ms since 1970; default: now. */
  readonly timestampMs?: number;
  readonly headers?: IHeaders;
}

/** What a {@link RecordWriter} sends with. */
export type BatchProducer = Pick<Producer, "sendBatch" | "disconnect">;

export interface RecordWriterOptions {
  /** Makes a connected producer; each failure asks for another. */
  readonly connect: () => Promise<BatchProducer>;
  /** How large a batch a topic takes, in bytes: a batch of one record may be larger. */
  readonly batchBytes: (topic: string) => number;
}

/** A record's length, timestamp and offset in a batch, at most. */
const RECORD_OVERHEAD_BYTES = 64;
/** Of one request to the broker, all partitions together. */
const REQUEST_BYTES = 1024 * 1024;
/** Between two attempts to reach a broker that is away. */
const RECONNECT_MS = 200;

interface Entry {
  readonly records: readonly OutgoingRecord[];
  /** How many of them have been put into a request. */
  taken: number;
  readonly resolve: () => void;
  readonly reject: (cause: unknown) => void;
}

/**
 * Writes records in the order in which they are handed in, each partition's in batches as large as it takes, and says
 * when the broker has them for good (acks=all, idempotent). One request is under way at a time; what comes meanwhile
 * goes together into the next.
 *
 * When a request fails for good, everything that waits fails with it: nobody's later records may go past earlier ones.
 * The producer is then replaced. kafkajs gives the next batch the failed one's sequence numbers, and a broker that did
 * have the failed one would take the next for its repetition, and drop it without a word.
 */
export class RecordWriter {
  readonly #options: RecordWriterOptions;
  #producer: Promise<BatchProducer> | undefined;
  readonly #queue: Entry[] = [];
  #queuedBytes = 0;
  #working: Promise<void> | undefined;
  #sendingSinceMs: number | undefined;
  #failedAtMs: number | undefined;
  #reconnecting = false;
  #closed = false;

  constructor(options: RecordWriterOptions) {
    this.#options = options;
  }

  /** Bytes that were handed in and that the broker has not yet. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /**
   * How long the request that is under way has been, in ms; or how long ago one failed, if no broker has answered
   * since.
   */
  get stalledMs(): number {
    return Math.max(0, Date.now() - (this.#failedAtMs ?? this.#sendingSinceMs ?? Date.now()));
  }

  /** Connects. @throws when no broker answers for about half a minute */
  async connect(): Promise<void> {
    await this.#connected();
  }

  /**
   * Hands in records. Those of one call may be spread over several requests.
   *
   * @returns when the broker has all of them; rejects when it may not have some
   */
  write(records: readonly OutgoingRecord[]): Promise<void> {
    if (records.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#queue.push({ records, taken: 0, resolve, reject });
      for (const record of records) this.#queuedBytes += sizeOf(record);
      this.#working ??= this.#work().finally(() => (this.#working = undefined));
    });
  }

  /** Waits for what was handed in, then disconnects. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#working;
    const producer = await this.#producer?.catch(() => undefined);
    await producer?.disconnect();
  }

  async #work(): Promise<void> {
    // What is handed in by the same turn of the event loop goes into the same request.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const { request, bytes, done } = this.#nextRequest();
      this.#sendingSinceMs = Date.now();
      try {
        const producer = await this.#connected();
        await producer.sendBatch({
          acks: -1,
          topicMessages: [...request].map(([topic, messages]) => ({ topic, messages })),
        });
        this.#failedAtMs = undefined;
        this.#queuedBytes -= bytes;
        for (const entry of done) entry.resolve();
      } catch (cause) {
        this.#failedAtMs ??= Date.now();
        const failed = [...done, ...this.#queue.splice(0)];
        this.#queuedBytes = 0;
        const producer = this.#producer;
        this.#producer = undefined;
        for (const entry of failed) entry.reject(cause);
        void producer?.then((old) => old.disconnect()).catch(() => undefined);
        void this.#reconnect();
      } finally {
        this.#sendingSinceMs = undefined;
      }
    }
  }

  /**
   * Looks for the broker by itself: a caller that writes nothing while {@link stalledMs} is high would never learn that
   * it is back.
   */
  async #reconnect(): Promise<void> {
    if (this.#reconnecting) return;
    this.#reconnecting = true;
    while (!this.#closed && this.#failedAtMs !== undefined) {
      try {
        await this.#connected();
        this.#failedAtMs = undefined;
      } catch {
        await delay(RECONNECT_MS, undefined, { ref: false });
      }
    }
    this.#reconnecting = false;
  }

  #connected(): Promise<BatchProducer> {
    if (this.#producer !== undefined) return this.#producer;
    const producer = this.#options.connect();
    this.#producer = producer;
    // Whoever uses it next tries anew.
    producer.catch(() => {
      if (this.#producer === producer) this.#producer = undefined;
    });
    return producer;
  }

  /** Takes from the queue's head what fits, and stops at the first record that does not: no record passes another. */
  #nextRequest(): { request: Map<string, Message[]>; bytes: number; done: Entry[] } {
    const request = new Map<string, Message[]>();
    const partitions = new Map<string, number>();
    const done: Entry[] = [];
    let bytes = 0;
    for (let entry = this.#queue[0]; entry !== undefined; entry = this.#queue[0]) {
      for (; entry.taken < entry.records.length; entry.taken++) {
        const record = entry.records[entry.taken]!;
        const size = sizeOf(record);
        const position = `${record.topic}-${record.partition}`;
        const filled = partitions.get(position) ?? 0;
        if (bytes > 0 && bytes + size > REQUEST_BYTES) return { request, bytes, done };
        if (filled > 0 && filled + size > this.#options.batchBytes(record.topic)) return { request, bytes, done };
        partitions.set(position, filled + size);
        bytes += size;
        const { topic, partition, key, value, timestampMs, headers } = record;
        let messages = request.get(topic);
        if (messages === undefined) request.set(topic, (messages = []));
        messages.push({
          partition,
          key,
          value,
          ...(timestampMs !== undefined && { timestamp: String(timestampMs) }),
          ...(headers !== undefined && { headers }),
        });
      }
      done.push(this.#queue.shift()!);
    }
    return { request, bytes, done };
  }
}

/** What a record takes in a batch, in bytes; rather too much than too little. */
export function sizeOf({ key, value, headers }: OutgoingRecord): number {
  let size = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) * (typeof key === "string" ? 3 : 1) + (value?.length ?? 0);
  for (const [name, header] of Object.entries(headers ?? {}))
    size += name.length * 3 + Buffer.byteLength(String(header)) + 8;
  return size;
}

/** A producer for a {@link RecordWriter}: each record stands in Kafka once, in order, as long as the producer lives. */
export async function idempotentProducer(brokers: string, clientId: string): Promise<BatchProducer> {
  const producer = kafkaClient(brokers, clientId).producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  return producer;
}
