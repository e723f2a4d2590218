import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { javaArgs, noJava } from "./java-program.js";
import { UserError } from "./user-error.js";

/** A Kafka record as Kafka's own Java consumer read it. */
export interface RawRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** Where a partition was read from and where it ended. A last stable offset below the high watermark: an open transaction. */
export interface ReadPartition {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint;
  readonly lastStableOffset: bigint;
  readonly highWatermark: bigint;
}

export interface ReadTopicsOptions {
  /** `host:port` of a broker. */
  readonly brokers: string;
  /** Topics, each from the given offsets by partition, or from its beginning; all partitions, or only some. */
  readonly topics: readonly { readonly topic: string; readonly partitions?: readonly number[]; readonly from?: ReadonlyMap<number, bigint> }[];
  readonly isolation: "read_committed" | "read_uncommitted";
  readonly timeoutMs: number;
  /** Read so many records at most. Default: all. */
  readonly limit?: number;
}

/**
 * Reads topics to the end that they have now, with Kafka's own Java consumer: proofs do not rest on a client of ours.
 *
 * @throws {UserError} when Java, the broker or a topic is not there, or the limit is over
 */
export async function readTopics(options: ReadTopicsOptions): Promise<{ records: RawRecord[]; partitions: ReadPartition[] }> {
  const records: RawRecord[] = [];
  const { finished } = startReader(options, String(options.limit ?? 0), (record) => records.push(record));
  return { records, partitions: await finished };
}

/**
 * Reads as {@link readTopics} does, and keeps nothing: each record is handed over as it comes.
 *
 * @throws {UserError} when Java, the broker or a topic is not there, or the limit is over
 */
export function scanTopics(options: Omit<ReadTopicsOptions, "limit">, onRecord: (record: RawRecord) => void): Promise<ReadPartition[]> {
  return startReader(options, "0", onRecord).finished;
}

/**
 * Follows topics with Kafka's own Java consumer, from their beginning.
 *
 * @returns `stop`, which resolves when everything that was there by then has been read, and `kill`, for when that is of no use any more
 */
export function followByJava(options: Omit<ReadTopicsOptions, "limit">, onRecord: (record: RawRecord) => void): { stop(): Promise<void>; kill(): void } {
  const { finished, endInput, kill } = startReader(options, "follow", onRecord);
  // Awaited in the end; a failure before then must not go unhandled.
  finished.catch(() => undefined);
  return {
    async stop() {
      endInput();
      await finished;
    },
    kill,
  };
}

function startReader({ brokers, topics, isolation, timeoutMs }: ReadTopicsOptions, limit: string, onRecord: (record: RawRecord) => void): { readonly finished: Promise<ReadPartition[]>; readonly endInput: () => void; readonly kill: () => void } {
  const specs = topics.map(({ topic, partitions = [], from = new Map<number, bigint>() }) => {
    const only = partitions.length > 0 ? `/${partitions.join(",")}` : "";
    return `${topic}${only}${from.size > 0 ? `:${[...from].map(([partition, offset]) => `${partition}=${offset}`).join(",")}` : ""}`;
  });
  const child = spawn("java", javaArgs("ReadTopics", [brokers, isolation, String(Math.ceil(timeoutMs / 1000)), limit, ...specs]), { stdio: ["pipe", "pipe", "pipe"] });
  // It may end before its input does.
  child.stdin.on("error", () => undefined);
  const finished = new Promise<ReadPartition[]>((resolve, reject) => {
    const partitions: ReadPartition[] = [];
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    const lines = createInterface({ input: child.stdout, crlfDelay: Infinity });
    lines.on("line", (line) => {
      const [kind, topic, partition, a, b, c, d] = line.split(" ");
      if (kind === "r") onRecord({ topic: topic!, partition: Number(partition), offset: BigInt(a!), timestampMs: Number(b), key: bytes(c!), value: bytes(d!) });
      else if (kind === "p") partitions.push({ topic: topic!, partition: Number(partition), from: BigInt(a!), lastStableOffset: BigInt(b!), highWatermark: BigInt(c!) });
    });
    child.on("error", (cause) => reject(noJava(cause)));
    // What the pipe still holds comes before `close` of the reader, and the exit may come before both.
    const read = new Promise<void>((done) => lines.once("close", done));
    child.on("close", (code) => {
      void read.then(() => {
        if (code === 0) resolve(partitions);
        else reject(new UserError(`the Java reader of ${topics.map(({ topic }) => topic).join(", ")} at ${brokers} failed: ${errors.trim().split("\n").at(-1) ?? `exit code ${code}`}`));
      });
    });
  });
  return { finished, endInput: () => void child.stdin.end(), kill: () => void child.kill("SIGKILL") };
}

function bytes(text: string): Buffer | null {
  return text === "-" ? null : text === "=" ? Buffer.alloc(0) : Buffer.from(text, "base64");
}
